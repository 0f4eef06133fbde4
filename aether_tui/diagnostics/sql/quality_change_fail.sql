-- Successful production deployments, and those a rollback, a hotfix or an incident followed: each trouble is charged to the
-- latest deployment of the same service in the 7 days before it (of any service where the trouble names none).
WITH deployed AS (
  SELECT source, id, coalesce(service, repo, '') AS name, coalesce(finished, started) AS at, reason
  FROM deployments
  WHERE environment = 'production' AND result = 'success'
    AND coalesce(finished, started) >= $before - INTERVAL 7 DAY AND coalesce(finished, started) < $until
    AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
),
trouble AS (
  SELECT name, at FROM deployed WHERE reason IN ('hotfix', 'rollback')
  UNION ALL
  SELECT service, opened FROM incidents WHERE opened >= $before AND opened < $until
),
charged AS (
  SELECT DISTINCT arg_max(d.source || '/' || d.id, d.at) AS deployment
  FROM trouble t JOIN deployed d
    ON d.at < t.at AND d.at >= t.at - INTERVAL 7 DAY AND (t.name IS NULL OR t.name = d.name)
  GROUP BY t.name, t.at
)
SELECT date_trunc('day', d.at) AS day, count(c.deployment) AS k, count(*) AS n
FROM deployed d LEFT JOIN charged c ON c.deployment = d.source || '/' || d.id
WHERE d.at >= $before
GROUP BY day
