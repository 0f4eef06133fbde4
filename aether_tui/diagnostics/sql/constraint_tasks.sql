-- One row over all tasks with a model call: steps, latency, outcomes, cost; then failures of the slowest tenth against the rest: of
-- those that say how they ended, the ones that took longer than nine tenths of them.
WITH task AS NOT MATERIALIZED (
  SELECT trace_id, calls + tool_calls AS steps, duration_s, outcome, cost_usd, unpriced_calls
  FROM tasks
  WHERE start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
), counted AS (
  SELECT count(*) AS n, quantile_disc(steps, [0.5, 0.95]) AS steps, quantile_disc(duration_s, [0.5, 0.99]) AS latency,
    list_min(max(duration_s, 5)) AS among_slowest,
    quantile_disc(duration_s, 0.9) FILTER (WHERE outcome IS NOT NULL) AS p90,
    count(outcome) AS with_outcome, count(*) FILTER (WHERE outcome = 'success') AS successes,
    count(*) FILTER (WHERE outcome = 'failure') AS failures,
    sum(cost_usd) AS cost, sum(cost_usd) FILTER (WHERE outcome IS NOT NULL) AS cost_known, sum(unpriced_calls) AS unpriced
  FROM task
), slow AS (
  SELECT count(*) AS n, count(*) FILTER (WHERE outcome = 'failure') AS failed,
    list_min(max(duration_s, 5) FILTER (WHERE outcome = 'failure')) AS among_slowest
  FROM task
  WHERE outcome IS NOT NULL AND duration_s > (SELECT p90 FROM counted)
), slowest AS (
  SELECT trace_id, duration_s FROM task WHERE duration_s >= (SELECT among_slowest FROM counted) ORDER BY duration_s DESC, trace_id DESC LIMIT 5
), slow_failures AS (
  SELECT trace_id, duration_s FROM task
  WHERE outcome = 'failure' AND duration_s > (SELECT p90 FROM counted) AND duration_s >= (SELECT among_slowest FROM slow)
  ORDER BY duration_s DESC, trace_id DESC LIMIT 5
)
SELECT counted.n, steps[1] AS steps_p50, steps[2] AS steps_p95, latency[1] AS latency_p50, latency[2] AS latency_p99,
  (SELECT string_agg(trace_id, ' ' ORDER BY duration_s DESC, trace_id DESC) FROM slowest) AS slowest,
  (SELECT string_agg(trace_id, ' ' ORDER BY duration_s DESC, trace_id DESC) FROM slow_failures) AS slow_failures,
  with_outcome, successes, cost, cost_known, unpriced, slow.n AS slow, slow.failed AS slow_failed, with_outcome - slow.n AS rest,
  failures - slow.failed AS rest_failed
FROM counted, slow
