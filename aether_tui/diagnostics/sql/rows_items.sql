-- Work items behind a number, the longest first. $mode: `cycle` and `lead` (finished in the window), `reopened` (of them), `open`
-- (in progress at its end), `unmapped` (touched in it, in a state nobody mapped), `stage` (in the lifecycle stage $stage, 1 to 7).
WITH items AS (
  SELECT *, coalesce(completed, cancelled) AS ended, completed >= $since AND completed < $until AS finished,
    [ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at] AS entries
  FROM flow_items
  WHERE type IS DISTINCT FROM 'incident' AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
meant AS (
  SELECT *, CASE $mode
      WHEN 'cycle' THEN epoch(completed) - epoch(started)
      WHEN 'lead' THEN epoch(completed) - epoch(created)
      WHEN 'reopened' THEN epoch(completed) - epoch(created)
      WHEN 'open' THEN epoch($until::TIMESTAMP) - epoch(started)
      WHEN 'unmapped' THEN epoch($until::TIMESTAMP) - epoch(updated)
      ELSE epoch($until::TIMESTAMP) - epoch(entries[$stage])
    END AS value
  FROM items
  WHERE CASE $mode
      WHEN 'cycle' THEN finished AND started IS NOT NULL
      WHEN 'lead' THEN finished AND created IS NOT NULL
      WHEN 'reopened' THEN finished AND reopened > 0
      WHEN 'open' THEN started < $until AND (ended IS NULL OR ended >= $until)
      WHEN 'unmapped' THEN category IS NULL AND updated >= $since AND updated < $until
      ELSE coalesce(type, '') NOT IN ('bug', 'chore') AND entries[$stage] < $until AND (cancelled IS NULL OR cancelled >= $until)
        AND coalesce(list_min(list_filter(entries[$stage + 1:], lambda later: later < $until)) IS NULL, true)
    END
)
SELECT source, id, key AS name, title, value, coalesce(completed, started, created) AS "at", type, team, feature, project, state, category,
  phase, created, started, completed, cancelled, reopened, count(*) OVER () AS of
FROM meant
ORDER BY value DESC, source, id
LIMIT 60
