-- Successful production deployments by the day they ended, as the scorecard counts them. All days up to the window's end: whether a
-- span without any is a zero depends on what came before it.
SELECT date_trunc('day', coalesce(finished, started)) AS day, count(*) AS k
FROM deployments
WHERE environment = 'production' AND result = 'success' AND coalesce(finished, started) < $until
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR coalesce(service, repo, '') = $service)
GROUP BY day
ORDER BY ALL
