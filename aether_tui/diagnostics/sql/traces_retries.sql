-- The tasks with the most retries among the 500 with the most errors. A retry follows a failed span of the same name and parent.
WITH task AS (
  SELECT start, feature, model, duration_s, turns, calls, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, status, outcome,
    task_cluster AS cluster, errors, team, environment, scenario, service, trace_id, source
  FROM tasks
  WHERE start >= $since AND start < $until AND errors > 0
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
  ORDER BY errors DESC, trace_id
  LIMIT 500
), span AS (
  SELECT source, trace_id,
    lag(status) OVER (PARTITION BY source, trace_id, parent_id, name ORDER BY start, span_id) AS before
  FROM spans SEMI JOIN task USING (source, trace_id)
  WHERE start >= $since AND start < $until::TIMESTAMP + INTERVAL 1 DAY
), retried AS (
  SELECT source, trace_id, count(*) AS retries FROM span WHERE before = 'error' GROUP BY source, trace_id
)
SELECT 4 AS place, 'most retries' AS kind, task.*, false AS failed, retries
FROM task JOIN retried USING (source, trace_id)
ORDER BY retries DESC, trace_id
LIMIT 5
