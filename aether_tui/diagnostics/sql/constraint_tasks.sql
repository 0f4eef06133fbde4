-- One row over all tasks with a model call: steps, latency, outcomes, cost; then failures of the slowest tenth against the rest.
WITH task AS (
  SELECT trace_id, calls + tool_calls AS steps, duration_s, outcome, cost_usd, unpriced_calls,
    ntile(10) OVER (PARTITION BY outcome IS NULL ORDER BY duration_s, trace_id) AS tenth
  FROM tasks
  WHERE start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
)
SELECT count(*) AS n,
  quantile_disc(steps, 0.5) AS steps_p50, quantile_disc(steps, 0.95) AS steps_p95,
  quantile_disc(duration_s, 0.5) AS latency_p50, quantile_disc(duration_s, 0.99) AS latency_p99,
  array_to_string(arg_max(trace_id, (duration_s, trace_id), 5), ' ') AS slowest,
  array_to_string(arg_max(trace_id, (duration_s, trace_id), 5) FILTER (WHERE outcome = 'failure' AND tenth = 10), ' ') AS slow_failures,
  count(outcome) AS with_outcome, count(*) FILTER (WHERE outcome = 'success') AS successes,
  sum(cost_usd) AS cost, sum(cost_usd) FILTER (WHERE outcome IS NOT NULL) AS cost_known, sum(unpriced_calls) AS unpriced,
  count(*) FILTER (WHERE outcome IS NOT NULL AND tenth = 10) AS slow,
  count(*) FILTER (WHERE outcome = 'failure' AND tenth = 10) AS slow_failed,
  count(*) FILTER (WHERE outcome IS NOT NULL AND tenth < 10) AS rest,
  count(*) FILTER (WHERE outcome = 'failure' AND tenth < 10) AS rest_failed
FROM task
