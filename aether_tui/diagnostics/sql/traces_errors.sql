-- The tasks of the window with the most errors, and when they begin and end.
SELECT start, feature, model, duration_s, turns, calls, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, status, outcome,
  task_cluster AS cluster, errors, team, environment, scenario, service, trace_id, source,
  start AS begins, start + to_microseconds(CAST(least(duration_s, 86400) * 1e6 AS BIGINT) + 1) AS reaches
FROM tasks
WHERE rowid IN (
  SELECT rowid FROM tasks
  WHERE start >= $since AND start < $until AND errors > 0
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
  ORDER BY errors DESC, trace_number
  LIMIT $most
)
ORDER BY errors DESC, trace_number
