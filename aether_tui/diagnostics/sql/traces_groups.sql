-- Tasks of the window by each attribute: how many, how many failed, what they cost, how long they took. Durations are counted by `kind`,
-- which stands for all attributes (they are read of one task each); of more than 20,000 tasks by 2 % buckets, at their geometric midpoint.
WITH summed AS MATERIALIZED (
  SELECT feature, team, model, environment, scenario, task_cluster, status, sum(tasks) AS n,
    coalesce(sum(tasks) FILTER (status = 'error' OR outcome = 'failure'), 0) AS failed, sum(cost_usd) AS cost_usd, sum(tokens) AS tokens,
    sum(turns) AS turns
  FROM {requests($since, $until)} AS request
  WHERE ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
  GROUP BY ALL
), counted AS (
  SELECT attribute, value, CAST(sum(n) AS BIGINT) AS n, CAST(sum(failed) AS BIGINT) AS failed, CAST(sum(cost_usd) AS DOUBLE) AS cost_usd,
    CAST(sum(tokens) AS BIGINT) AS tokens, sum(turns) / sum(n) AS turns
  FROM (
    SELECT unnest(['', 'feature', 'team', 'model', 'environment', 'scenario', 'cluster', 'status']) AS attribute,
      unnest([NULL, feature, team, model, environment, scenario, task_cluster, status]) AS value, n, failed, cost_usd, tokens, turns
    FROM summed
  )
  GROUP BY attribute, value
), task AS NOT MATERIALIZED (
  SELECT kind, took, duration_s, rowid AS place
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
), part AS MATERIALIZED (
  SELECT kind, took, min(place) AS place, count(*) AS n FROM task GROUP BY 1, 2
), told AS (
  SELECT p.kind, unnest(['', 'feature', 'team', 'model', 'environment', 'scenario', 'cluster', 'status']) AS attribute,
    unnest([NULL, feature, team, model, environment, scenario, task_cluster, status]) AS value
  FROM (SELECT kind, min(place) AS place FROM part GROUP BY kind) AS p JOIN tasks AS t ON t.rowid = p.place
), timed AS (
  SELECT kind, CASE WHEN took > -10000 THEN pow(1.02, took + 0.5) ELSE 0 END AS took_s, n
  FROM part
  WHERE took IS NOT NULL AND (SELECT sum(n) FROM part) > 20000
  UNION ALL
  SELECT kind, duration_s, count(*) FROM task WHERE duration_s IS NOT NULL AND (SELECT sum(n) FROM part) <= 20000 GROUP BY 1, 2
), ranked AS (
  SELECT attribute, value, took_s, sum(sum(n)) OVER (PARTITION BY attribute, value ORDER BY took_s) AS up_to,
    sum(sum(n)) OVER (PARTITION BY attribute, value) AS every
  FROM told JOIN timed USING (kind)
  GROUP BY attribute, value, took_s
), took AS (
  SELECT attribute, value, min(took_s) FILTER (WHERE up_to >= ceil(0.5 * every)) AS p50_s,
    min(took_s) FILTER (WHERE up_to >= ceil(0.95 * every)) AS p95_s
  FROM ranked
  GROUP BY attribute, value
)
SELECT c.attribute, c.value, n, failed, cost_usd, tokens, p50_s, p95_s, turns
FROM counted AS c LEFT JOIN took AS t ON t.attribute = c.attribute AND t.value IS NOT DISTINCT FROM c.value
ORDER BY c.attribute, n DESC, c.value
