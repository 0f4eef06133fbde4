-- Successful production deployments, and those a rollback, a hotfix or an incident followed, linked as on the scorecard: an incident
-- to the deployment it names (label deployment:…, of several the one of its own service, then the first), else every trouble to the
-- latest deployment of its own service in the 7 days before. An incident without a service belongs to the only service that ever
-- deployed, or to none; it is linked before anything is narrowed, and one that was cancelled was none. Where neither incidents are recorded nor why deployments are made,
-- nothing is known, which is not none. (`opened` and `service` are those of the view `incidents`, read here beside the labels.)
WITH production AS (
  SELECT rowid AS place, source, id, sha, coalesce(service, repo, '') AS name, team,
    coalesce(finished, started) AS moment, result, reason
  FROM deployments
  WHERE environment = 'production' AND result IN ('success', 'failure') AND coalesce(finished, started) < $until
),
deployed AS MATERIALIZED (
  SELECT place, name, team, moment, reason
  FROM production
  WHERE result = 'success' AND moment >= $before::TIMESTAMP - INTERVAL 7 DAY
    AND (source IN (SELECT source FROM deployments WHERE reason IN ('planned', 'hotfix', 'rollback'))
      OR EXISTS (SELECT 1 FROM work_items WHERE type = 'incident'))
),
happened AS MATERIALIZED (
  SELECT coalesce(service, (SELECT CASE WHEN min(name) = max(name) THEN min(name) END FROM production WHERE result = 'success')) AS name,
    opened AS moment, named
  FROM (
    SELECT created AS opened, coalesce(list_filter(labels, lambda l: starts_with(lower(l), 'service:'))[1][9:], project) AS service,
      list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS named
    FROM work_items
    WHERE type = 'incident' AND category IS DISTINCT FROM 'cancelled' AND created >= $before AND created < $until
  )
),
explicit AS (
  SELECT h.named, h.name, arg_min(d.place, (d.name IS DISTINCT FROM h.name, d.moment, d.source || '/' || d.id)) AS place
  FROM happened h JOIN (SELECT place, source, id, name, moment, unnest([id, sha]) AS called FROM production) d ON d.called = h.named
  GROUP BY h.named, h.name
),
trouble AS (
  SELECT name, moment FROM deployed WHERE reason IN ('hotfix', 'rollback')
  UNION ALL
  SELECT name, moment FROM happened WHERE named IS NULL OR named NOT IN (SELECT named FROM explicit)
),
charged AS (
  SELECT place FROM explicit
  UNION ALL
  SELECT d.place
  FROM trouble t ASOF JOIN deployed d ON d.name = t.name AND d.moment < t.moment
  WHERE d.moment >= t.moment - INTERVAL 7 DAY
)
SELECT date_trunc('day', moment) AS day, count(*) FILTER (WHERE place IN (SELECT place FROM charged)) AS k, count(*) AS n
FROM deployed
WHERE moment >= $before AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR name = $service)
GROUP BY day
ORDER BY ALL
