-- One row over all tasks with a model call: steps, latency, outcomes, cost; then failures of the slowest tenth against the rest: of
-- those that say how they ended, the ones that took longer than nine tenths of them. Of tasks that took as long, those with the
-- lowest number are named.
WITH task AS NOT MATERIALIZED (
  SELECT rowid AS place, trace_number, calls + tool_calls AS steps, duration_s, outcome, cost_usd, unpriced_calls
  FROM tasks
  WHERE start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
), part AS MATERIALIZED (
  SELECT steps, outcome, count(*) AS n, sum(cost_usd) AS cost, sum(unpriced_calls) AS unpriced
  FROM task
  GROUP BY ALL
), ranked AS (
  SELECT steps, sum(sum(n)) OVER (ORDER BY steps) AS up_to, sum(sum(n)) OVER () AS every FROM part GROUP BY steps
), counted AS (
  SELECT coalesce(sum(n), 0) AS n, (SELECT min(steps) FROM ranked WHERE up_to >= ceil(0.5 * every)) AS steps_p50,
    (SELECT min(steps) FROM ranked WHERE up_to >= ceil(0.95 * every)) AS steps_p95,
    coalesce(sum(n) FILTER (WHERE outcome IS NOT NULL), 0) AS with_outcome,
    coalesce(sum(n) FILTER (WHERE outcome = 'success'), 0) AS successes, coalesce(sum(n) FILTER (WHERE outcome = 'failure'), 0) AS failures,
    sum(cost) AS cost, sum(cost) FILTER (WHERE outcome IS NOT NULL) AS cost_known, sum(unpriced) AS unpriced
  FROM part
), latency AS (
  SELECT quantile_disc(duration_s, [0.5, 0.99]) AS took_s FROM task
), told AS (
  SELECT quantile_disc(duration_s, 0.9) AS p90 FROM task WHERE outcome IS NOT NULL
), slow AS (
  SELECT count(*) AS n, count(*) FILTER (WHERE outcome = 'failure') AS failed
  FROM task
  WHERE outcome IS NOT NULL AND duration_s > (SELECT p90 FROM told)
), named AS (
  FROM (SELECT 'slowest' AS what, place, duration_s, trace_number FROM task WHERE duration_s IS NOT NULL ORDER BY duration_s DESC, trace_number LIMIT 5)
  UNION ALL
  FROM (
    SELECT 'failure', place, duration_s, trace_number FROM task
    WHERE outcome = 'failure' AND duration_s > (SELECT p90 FROM told)
    ORDER BY duration_s DESC, trace_number LIMIT 5
  )
), behind AS (
  SELECT string_agg(trace_id, ' ' ORDER BY named.duration_s DESC, named.trace_number) FILTER (WHERE what = 'slowest') AS slowest,
    string_agg(trace_id, ' ' ORDER BY named.duration_s DESC, named.trace_number) FILTER (WHERE what = 'failure') AS slow_failures
  FROM named JOIN tasks ON tasks.rowid = named.place
)
SELECT counted.n, steps_p50, steps_p95, took_s[1] AS latency_p50, took_s[2] AS latency_p99, slowest, slow_failures, with_outcome,
  successes, cost, cost_known, unpriced, slow.n AS slow, slow.failed AS slow_failed, with_outcome - slow.n AS rest,
  failures - slow.failed AS rest_failed
FROM counted, latency, slow, behind
