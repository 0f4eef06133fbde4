-- One task of the rollup, whose spans may have been pruned: by when it began where that is known, else by the number of its id
-- (a number is compared in an eighth of the time of a text).
SELECT source, trace_id, start, duration_s, status, outcome, environment, service, feature, team, scenario,
  task_cluster AS cluster, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, turns, calls, tool_calls, errors, unpriced_calls
FROM tasks
WHERE trace_number = md5_number_lower($trace) AND trace_id = $trace AND ($source::VARCHAR IS NULL OR source = $source)
  AND start >= coalesce($begun::TIMESTAMP, TIMESTAMP '0001-01-01') AND start <= coalesce($begun::TIMESTAMP, TIMESTAMP '9999-12-31')
ORDER BY start, source
