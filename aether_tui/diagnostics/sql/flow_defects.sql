-- Bugs created in the two windows, by the phase that found them (label found:PHASE); null where none is named.
SELECT nullif(lower(trim(list_filter(labels, lambda l: starts_with(lower(l), 'found:'))[1][7:])), '') AS phase,
  count(*) FILTER (WHERE created >= $since) AS now, count(*) FILTER (WHERE created < $since AND created >= $before) AS before
FROM work_items
WHERE type = 'bug' AND created >= least($before::TIMESTAMP, $since) AND created < $until
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY ALL
ORDER BY ALL
