-- Successful production deployments, and those a rollback, a hotfix or an incident followed, linked as on the scorecard: an incident
-- to the deployment it names (label deployment:…), else every trouble to the latest deployment of its own service in the 7 days
-- before. An incident without a service belongs to the only service that deploys, or to none. Where
-- neither incidents are recorded nor why deployments are made, nothing is known, which is not none. (`opened` and `service` are those of
-- the view `incidents`, read here beside the labels.)
WITH deployed AS (
  SELECT source || '/' || id AS deployment, id, sha, coalesce(service, repo, '') AS name, coalesce(finished, started) AS moment, reason
  FROM deployments
  WHERE environment = 'production' AND result = 'success'
    AND (source IN (SELECT source FROM deployments WHERE reason IN ('planned', 'hotfix', 'rollback')) OR EXISTS (SELECT 1 FROM incidents))
    AND coalesce(finished, started) >= $before::TIMESTAMP - INTERVAL 7 DAY AND coalesce(finished, started) < $until
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR coalesce(service, repo, '') = $service)
),
happened AS (
  SELECT coalesce(service, (SELECT CASE WHEN count(DISTINCT name) = 1 THEN min(name) END FROM deployed)) AS name, opened AS moment, named
  FROM (
    SELECT created AS opened, coalesce(list_filter(labels, lambda l: starts_with(lower(l), 'service:'))[1][9:], project) AS service,
      list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS named
    FROM work_items
    WHERE type = 'incident' AND created >= $before AND created < $until AND ($team::VARCHAR IS NULL OR team = $team)
  )
  WHERE ($service::VARCHAR IS NULL OR service = $service)
),
explicit AS (
  SELECT h.moment, h.named, min(d.deployment) AS deployment
  FROM happened h JOIN deployed d ON h.named = d.id OR h.named = d.sha
  WHERE h.named IS NOT NULL
  GROUP BY h.moment, h.named
),
trouble AS (
  SELECT name, moment FROM deployed WHERE reason IN ('hotfix', 'rollback')
  UNION ALL
  SELECT name, moment FROM happened ANTI JOIN explicit USING (moment, named)
),
charged AS (
  SELECT deployment FROM explicit
  UNION
  SELECT d.deployment
  FROM trouble t ASOF JOIN deployed d ON d.name = t.name AND d.moment < t.moment
  WHERE d.moment >= t.moment - INTERVAL 7 DAY
)
SELECT date_trunc('day', d.moment) AS day, count(c.deployment) AS k, count(*) AS n
FROM deployed d LEFT JOIN charged c ON c.deployment = d.deployment
WHERE d.moment >= $before
GROUP BY day
ORDER BY ALL
