-- Tasks of the window by each attribute: how many, how many failed, what they cost, how long they took. They are counted by `kind`, which
-- is the hash of all attributes (64 bits, read of one task each); of more than 20,000 tasks, durations are those of 2 % buckets, at
-- their geometric midpoint.
WITH task AS NOT MATERIALIZED (
  SELECT hash(feature, team, model, environment, scenario, task_cluster, status) AS kind, rowid AS place,
    status = 'error' OR outcome IS NOT DISTINCT FROM 'failure' AS failed, cost_usd, tokens, duration_s, turns
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
), part AS MATERIALIZED (
  SELECT kind, CASE WHEN NOT bucketed THEN duration_s WHEN duration_s > 0 THEN floor(ln(duration_s) / ln(1.02)) WHEN duration_s IS NOT NULL THEN -10000 END AS took,
    any_value(bucketed) AS bucketed, min(place) AS place, count(*) AS n, count_if(failed) AS failed, sum(cost_usd) AS cost_usd, sum(tokens) AS tokens,
    sum(turns) AS turns, count(turns) AS n_turns
  FROM task, (SELECT count(*) > 20000 AS bucketed FROM task)
  GROUP BY 1, 2
), summed AS MATERIALIZED (
  SELECT kind, min(place) AS place, sum(n) AS n, sum(failed) AS failed, sum(cost_usd) AS cost_usd, sum(tokens) AS tokens, sum(turns) AS turns,
    sum(n_turns) AS n_turns
  FROM part
  GROUP BY kind
), told AS MATERIALIZED (
  SELECT s.kind, unnest(['', 'feature', 'team', 'model', 'environment', 'scenario', 'cluster', 'status']) AS attribute,
    unnest([NULL, feature, team, model, environment, scenario, task_cluster, status]) AS value
  FROM summed AS s JOIN tasks AS t ON t.rowid = s.place
), ranked AS (
  SELECT attribute, value, took_s, sum(sum(n)) OVER (PARTITION BY attribute, value ORDER BY took_s) AS up_to,
    sum(sum(n)) OVER (PARTITION BY attribute, value) AS every
  FROM told JOIN (
    SELECT kind, n, CASE WHEN bucketed AND took > -10000 THEN pow(1.02, took + 0.5) WHEN bucketed THEN 0 ELSE took END AS took_s
    FROM part WHERE took IS NOT NULL
  ) USING (kind)
  GROUP BY attribute, value, took_s
), took AS (
  SELECT attribute, value, min(took_s) FILTER (WHERE up_to >= ceil(0.5 * every)) AS p50_s,
    min(took_s) FILTER (WHERE up_to >= ceil(0.95 * every)) AS p95_s
  FROM ranked
  GROUP BY attribute, value
), counted AS (
  SELECT attribute, value, CAST(sum(n) AS BIGINT) AS n, CAST(sum(failed) AS BIGINT) AS failed, CAST(sum(cost_usd) AS DOUBLE) AS cost_usd,
    CAST(sum(tokens) AS BIGINT) AS tokens, sum(turns) / sum(n_turns) AS turns
  FROM told JOIN summed USING (kind)
  GROUP BY attribute, value
)
SELECT c.attribute, c.value, n, failed, cost_usd, tokens, p50_s, p95_s, turns
FROM counted AS c LEFT JOIN took AS t ON t.attribute = c.attribute AND t.value IS NOT DISTINCT FROM c.value
ORDER BY c.attribute, n DESC, c.value
