-- Production deployments that came to an end in the two windows or the seven days before, oldest first; of the time before that those
-- that an incident of the windows names, and the latest successful one of each service. `told`: their source says why deployments are
-- made, so that an unknown reason is none; `tracked`: incidents are recorded at all; `first`: when what is known of their source begins;
-- `ours`: of the team and service looked at. Incidents are linked before anything is narrowed, so the others are here too.
WITH production AS (
  SELECT source, id, sha, coalesce(service, repo, '') AS service, team, coalesce(finished, started) AS moment, result, reason
  FROM deployments
  WHERE environment = 'production' AND result IN ('success', 'failure') AND coalesce(finished, started) < $until
),
latest AS (SELECT service, max(moment) AS moment FROM production WHERE result = 'success' GROUP BY service),
named AS (
  SELECT list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS name
  FROM work_items
  WHERE type = 'incident' AND created >= $before AND created < $until
)
SELECT source, id, sha, service, moment, result, reason,
  source IN (SELECT DISTINCT source FROM deployments WHERE reason IN ('planned', 'hotfix', 'rollback')) AS told,
  EXISTS (SELECT 1 FROM incidents) AS tracked,
  first,
  ($team::VARCHAR IS NULL OR team IS NOT DISTINCT FROM $team) AND ($service::VARCHAR IS NULL OR service = $service) AS ours
FROM production JOIN (
  SELECT source, min(coalesce(finished, started)) AS first FROM deployments WHERE environment = 'production' GROUP BY source
) USING (source)
WHERE moment >= $before::TIMESTAMP - INTERVAL 7 DAY
  OR id IN (SELECT name FROM named WHERE name IS NOT NULL) OR sha IN (SELECT name FROM named WHERE name IS NOT NULL)
  OR (result = 'success' AND (service, moment) IN (SELECT service, moment FROM latest))
ORDER BY moment, source, id
