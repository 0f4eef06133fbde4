-- The newest tasks of the window.
SELECT start, feature, model, duration_s, turns, calls, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, status, outcome,
  task_cluster AS cluster, errors, team, environment, scenario, service, trace_id, source
FROM tasks
WHERE start >= $since AND start < $until
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
ORDER BY start DESC, trace_id
LIMIT $n
