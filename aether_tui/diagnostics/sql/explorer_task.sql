-- One task of the rollup, whose spans may have been pruned.
SELECT source, trace_id, start, duration_s, status, outcome, environment, service, feature, team, scenario,
  task_cluster AS cluster, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, turns, calls, tool_calls, errors, unpriced_calls
FROM tasks
WHERE trace_id = $trace AND ($source::VARCHAR IS NULL OR source = $source)
ORDER BY start, source
