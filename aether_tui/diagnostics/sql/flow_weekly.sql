-- Items finished in each whole week that ends on the window's last midnight: week −1 is the latest. Weeks without any are absent.
SELECT CAST(floor((epoch(completed) - epoch(date_trunc('day', $until::TIMESTAMP))) / 604800) AS INTEGER) AS week, count(*) AS finished
FROM flow_items
WHERE completed < date_trunc('day', $until::TIMESTAMP) AND completed >= date_trunc('day', $until::TIMESTAMP) - INTERVAL 364 DAY
  AND type IS DISTINCT FROM 'incident'
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY week
ORDER BY week
