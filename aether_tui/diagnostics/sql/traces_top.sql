-- The five tasks of the window that stand out in each way.
WITH task AS (
  SELECT start, feature, model, duration_s, turns, calls, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, status, outcome,
    task_cluster AS cluster, errors, team, environment, scenario, service, trace_id, source,
    status = 'error' OR outcome = 'failure' AS failed
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
)
FROM (SELECT 1 AS place, 'slowest' AS kind, * FROM task WHERE duration_s IS NOT NULL ORDER BY duration_s DESC, trace_id LIMIT 5)
UNION ALL
FROM (SELECT 2, 'dearest', * FROM task WHERE cost_usd IS NOT NULL ORDER BY cost_usd DESC, trace_id LIMIT 5)
UNION ALL
FROM (SELECT 3, 'most turns', * FROM task ORDER BY turns DESC, trace_id LIMIT 5)
UNION ALL
FROM (SELECT 5, 'failed', * FROM task WHERE failed ORDER BY start DESC, trace_id LIMIT 5)
