-- First active to last done of the items completed, by day.
SELECT date_trunc('day', completed) AS day, list(greatest(epoch(completed) - epoch(started), 0)) AS x
FROM flow_items
WHERE started IS NOT NULL AND completed >= $before AND completed < $until AND type IS DISTINCT FROM 'incident'
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day
ORDER BY day
