-- Production deployments that came to an end in the two windows or the seven days before, oldest first. `told`: their source says
-- why deployments are made, so that an unknown reason is none; `tracked`: incidents are recorded at all; `first`: when what is known
-- of their source begins.
SELECT source, id, sha, coalesce(service, repo, '') AS service, coalesce(finished, started) AS moment, result, reason,
  source IN (SELECT DISTINCT source FROM deployments WHERE reason IN ('planned', 'hotfix', 'rollback')) AS told,
  EXISTS (SELECT 1 FROM incidents) AS tracked,
  first
FROM deployments JOIN (
  SELECT source, min(coalesce(finished, started)) AS first FROM deployments WHERE environment = 'production' GROUP BY source
) USING (source)
WHERE environment = 'production' AND result IN ('success', 'failure')
  AND coalesce(finished, started) >= $before::TIMESTAMP - INTERVAL 7 DAY AND coalesce(finished, started) < $until
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR coalesce(service, repo, '') = $service)
ORDER BY moment, source, id
