-- Deployments by day.
SELECT day, service, environment, sum(deployments) AS deployments, sum(failed) AS failed
FROM delivery_daily
WHERE day >= $since_day AND day < $until_day
  AND ($environment::VARCHAR IS NULL OR environment = $environment) AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
