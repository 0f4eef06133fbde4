-- Bugs that say where they were found (label found:PHASE), and those found in release or later.
WITH bugs AS (
  SELECT created, lower(trim(list_filter(labels, lambda l: starts_with(lower(l), 'found:'))[1][7:])) AS found
  FROM work_items
  WHERE type = 'bug' AND created >= $before AND created < $until
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
)
SELECT date_trunc('day', created) AS day,
  count(*) FILTER (WHERE found IN ('release', 'measure', 'learn', 'production', 'live', 'customer', 'customers', 'user', 'users', 'support')) AS k,
  count(*) AS n
FROM bugs
WHERE found <> ''
GROUP BY day
ORDER BY ALL
