-- Tasks of the window by each attribute: how many, how many failed, what they cost, how long they took. They are passed once, into
-- cells that are alike in everything; of more than 20,000 tasks, durations are those of 2 % buckets, at their geometric midpoint.
WITH task AS NOT MATERIALIZED (
  SELECT feature, team, model, environment, scenario, task_cluster, status, status = 'error' OR outcome IS NOT DISTINCT FROM 'failure' AS failed,
    cost_usd, tokens, duration_s, turns
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
), cell AS (
  SELECT feature, team, model, environment, scenario, task_cluster, status,
    CASE WHEN (SELECT count(*) > 20000 FROM task) AND duration_s > 0 THEN pow(1.02, floor(ln(duration_s) / ln(1.02)) + 0.5) ELSE duration_s END AS took_s,
    count(*) AS n, count_if(failed) AS failed, sum(cost_usd) AS cost_usd, sum(tokens) AS tokens, sum(turns) AS turns, count(turns) AS n_turns
  FROM task
  GROUP BY ALL
), part AS (
  SELECT
    CASE WHEN grouping(feature) = 0 THEN 'feature' WHEN grouping(team) = 0 THEN 'team' WHEN grouping(model) = 0 THEN 'model'
      WHEN grouping(environment) = 0 THEN 'environment' WHEN grouping(scenario) = 0 THEN 'scenario'
      WHEN grouping(task_cluster) = 0 THEN 'cluster' WHEN grouping(status) = 0 THEN 'status' ELSE '' END AS attribute,
    coalesce(feature, team, model, environment, scenario, task_cluster, status) AS value, took_s,
    sum(n) AS n, sum(failed) AS failed, sum(cost_usd) AS cost_usd, sum(tokens) AS tokens, sum(turns) AS turns, sum(n_turns) AS n_turns
  FROM cell
  GROUP BY GROUPING SETS ((took_s), (feature, took_s), (team, took_s), (model, took_s), (environment, took_s), (scenario, took_s),
    (task_cluster, took_s), (status, took_s))
), ranked AS (
  SELECT *, sum(n) FILTER (WHERE took_s IS NOT NULL) OVER (PARTITION BY attribute, value ORDER BY took_s NULLS LAST) AS up_to,
    sum(n) FILTER (WHERE took_s IS NOT NULL) OVER (PARTITION BY attribute, value) AS timed
  FROM part
)
SELECT attribute, value, CAST(sum(n) AS BIGINT) AS n, CAST(sum(failed) AS BIGINT) AS failed, CAST(sum(cost_usd) AS DOUBLE) AS cost_usd,
  CAST(sum(tokens) AS BIGINT) AS tokens, min(took_s) FILTER (WHERE up_to >= ceil(0.5 * timed)) AS p50_s,
  min(took_s) FILTER (WHERE up_to >= ceil(0.95 * timed)) AS p95_s, sum(turns) / sum(n_turns) AS turns
FROM ranked
GROUP BY attribute, value
ORDER BY attribute, n DESC, value
