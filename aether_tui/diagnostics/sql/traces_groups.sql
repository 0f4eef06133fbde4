-- Tasks of the window by each attribute: how many, how many failed, what they cost, how long they took.
WITH task AS (
  SELECT *, status = 'error' OR outcome IS NOT DISTINCT FROM 'failure' AS failed
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
)
SELECT
  CASE WHEN grouping(feature) = 0 THEN 'feature' WHEN grouping(team) = 0 THEN 'team' WHEN grouping(model) = 0 THEN 'model'
    WHEN grouping(environment) = 0 THEN 'environment' WHEN grouping(scenario) = 0 THEN 'scenario'
    WHEN grouping(task_cluster) = 0 THEN 'cluster' WHEN grouping(status) = 0 THEN 'status' ELSE '' END AS attribute,
  coalesce(feature, team, model, environment, scenario, task_cluster, status) AS value,
  count(*) AS n, count(*) FILTER (WHERE failed) AS failed, CAST(sum(cost_usd) AS DOUBLE) AS cost_usd,
  CAST(sum(tokens) AS BIGINT) AS tokens, quantile_disc(duration_s, 0.5) AS p50_s, quantile_disc(duration_s, 0.95) AS p95_s,
  avg(turns) AS turns
FROM task
GROUP BY GROUPING SETS ((), (feature), (team), (model), (environment), (scenario), (task_cluster), (status))
ORDER BY attribute, n DESC, value
