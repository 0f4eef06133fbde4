-- Successful production deployments, and those a rollback, a hotfix or an incident followed: each trouble is charged to the
-- latest deployment of the same service in the 7 days before it (of any service where the trouble names no service that deploys).
WITH deployed AS (
  SELECT source, id, coalesce(service, repo, '') AS name, coalesce(finished, started) AS moment, reason
  FROM deployments
  WHERE environment = 'production' AND result = 'success'
    AND coalesce(finished, started) >= $before - INTERVAL 7 DAY AND coalesce(finished, started) < $until
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR service = $service)
),
trouble AS (
  SELECT name, moment FROM deployed WHERE reason IN ('hotfix', 'rollback')
  UNION ALL
  SELECT service, opened FROM incidents WHERE opened >= $before AND opened < $until
),
charged AS (
  SELECT DISTINCT arg_max(d.source || '/' || d.id, d.moment) AS deployment
  FROM trouble t JOIN deployed d
    ON d.moment < t.moment AND d.moment >= t.moment - INTERVAL 7 DAY AND (t.name = d.name OR t.name IS NULL OR t.name NOT IN (SELECT name FROM deployed))
  GROUP BY t.name, t.moment
)
SELECT date_trunc('day', d.moment) AS day, count(c.deployment) AS k, count(*) AS n
FROM deployed d LEFT JOIN charged c ON c.deployment = d.source || '/' || d.id
WHERE d.moment >= $before
GROUP BY day
ORDER BY ALL
