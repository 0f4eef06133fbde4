-- First active to last done, per item completed.
SELECT date_trunc('day', completed) AS day, greatest(epoch(completed) - epoch(started), 0) AS x, 1 AS n
FROM flow_items
WHERE started IS NOT NULL AND completed >= $before AND completed < $until AND type IS DISTINCT FROM 'incident'
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
ORDER BY ALL
