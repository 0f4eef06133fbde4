-- Of the given tasks those with the most retries. A retry follows a failed span of the same name and parent.
WITH task AS (
  SELECT start, feature, model, duration_s, turns, calls, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, status, outcome,
    task_cluster AS cluster, errors, team, environment, scenario, service, trace_id, source
  FROM tasks
  WHERE start IN (SELECT unnest($begins::TIMESTAMP[])) AND trace_id IN (SELECT unnest($ids::VARCHAR[]))
), span AS (
  SELECT source, trace_id,
    lag(status) OVER (PARTITION BY source, trace_id, parent_id, name ORDER BY start, span_id) AS before
  FROM spans SEMI JOIN task USING (source, trace_id)
  WHERE {reach(start)}
), retried AS (
  SELECT source, trace_id, count(*) AS retries FROM span WHERE before = 'error' GROUP BY source, trace_id
)
SELECT 4 AS place, 'most retries' AS kind, task.*, false AS failed, retries
FROM task JOIN retried USING (source, trace_id)
ORDER BY retries DESC, trace_id
LIMIT 5
