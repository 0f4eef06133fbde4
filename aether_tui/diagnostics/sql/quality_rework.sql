-- Successful production deployments, and those that were a hotfix or a rollback, of sources that say why deployments are made.
SELECT date_trunc('day', coalesce(finished, started)) AS day, count(*) FILTER (WHERE reason IN ('hotfix', 'rollback')) AS k, count(*) AS n
FROM deployments
WHERE environment = 'production' AND result = 'success'
  AND source IN (SELECT source FROM deployments WHERE reason IN ('planned', 'hotfix', 'rollback'))
  AND coalesce(finished, started) >= $before AND coalesce(finished, started) < $until
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR coalesce(service, repo, '') = $service)
GROUP BY day
ORDER BY ALL
