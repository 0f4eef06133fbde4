-- All days up to the window's end: whether a span without any is a zero depends on what came before it.
SELECT day, sum(deployments - failed) AS k
FROM delivery_daily
WHERE environment = 'production' AND day < $until
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY day
ORDER BY ALL
