SELECT date_trunc('day', updated) AS day, count(category) AS k, count(*) AS n
FROM flow_items
WHERE updated >= $before AND updated < $until
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day
ORDER BY ALL
