-- Production deployments that came to an end in the two windows or the seven days before; of the time before that those that an
-- incident of the windows names, and the latest successful one of each service. A row per service, as lists in the order of their end
-- (`at_us`: microseconds since 1970). `remedy`: a hotfix or rollback; `ours`: of the team and service looked at. Incidents are linked
-- before anything is narrowed, so the others are here too. Of ours: `told`, that a source says why deployments are made, so that an
-- unknown reason is none; `first_us`, when what is known of the source of the oldest begins; `tracked`: incidents are recorded at all.
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
),
known AS (
  SELECT source, min(coalesce(finished, started)) FILTER (WHERE environment = 'production') AS first,
    coalesce(bool_or(reason IN ('planned', 'hotfix', 'rollback')), false) AS told
  FROM deployments
  GROUP BY source
),
kept AS (
  SELECT *,
    ($team::VARCHAR IS NULL OR team IS NOT DISTINCT FROM $team) AND ($service::VARCHAR IS NULL OR service = $service) AS ours
  FROM production JOIN known USING (source)
  WHERE moment >= $before::TIMESTAMP - INTERVAL 7 DAY
    OR id IN (SELECT name FROM named WHERE name IS NOT NULL) OR sha IN (SELECT name FROM named WHERE name IS NOT NULL)
    OR (result = 'success' AND (service, moment) IN (SELECT service, moment FROM latest))
),
own AS (
  SELECT service, coalesce(bool_or(told) FILTER (ours), false) AS told,
    epoch_us(arg_min(first, (moment, source, id)) FILTER (ours)) AS first_us,
    list({'source': source, 'id': id, 'sha': sha, 'at_us': epoch_us(moment), 'success': result = 'success',
      'remedy': coalesce(reason IN ('hotfix', 'rollback'), false), 'ours': ours} ORDER BY moment, source, id) AS each
  FROM kept
  GROUP BY service
)
SELECT service, told, EXISTS (SELECT 1 FROM incidents) AS tracked, first_us,
  list_transform(each, lambda e: e.source) AS source, list_transform(each, lambda e: e.id) AS id,
  list_transform(each, lambda e: e.sha) AS sha, list_transform(each, lambda e: e.at_us) AS at_us,
  list_transform(each, lambda e: e.success) AS success, list_transform(each, lambda e: e.remedy) AS remedy,
  list_transform(each, lambda e: e.ours) AS ours
FROM own
ORDER BY service
