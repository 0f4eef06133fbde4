-- Of items whose tracker keeps status history: without it, no reopening is not known to be none.
SELECT date_trunc('day', completed) AS day, count(*) FILTER (WHERE reopened > 0) AS k, count(*) AS n
FROM flow_items
WHERE completed >= $before AND completed < $until AND type IS DISTINCT FROM 'incident'
  AND source IN (SELECT DISTINCT source FROM flow_items WHERE transitions > 0)
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day
ORDER BY ALL
