-- The five tasks of the window that stand out in each way: first what it takes to be among them, then those that have it.
WITH task AS NOT MATERIALIZED (
  SELECT start, duration_s, turns, cost_usd, trace_id, rowid AS place_in_table, status = 'error' OR outcome = 'failure' AS failed
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
), least_of AS MATERIALIZED (
  SELECT list_min(max(duration_s, 5)) AS duration_s, list_min(max(cost_usd, 5)) AS cost_usd, list_min(max(turns, 5)) AS turns,
    list_min(max(start, 5) FILTER (WHERE failed)) AS failed_at
  FROM task
), chosen AS MATERIALIZED (
  FROM (SELECT 1 AS place, 'slowest' AS kind, place_in_table FROM task
    WHERE duration_s >= (SELECT duration_s FROM least_of) ORDER BY duration_s DESC, trace_id LIMIT 5)
  UNION ALL
  FROM (SELECT 2, 'dearest', place_in_table FROM task WHERE cost_usd >= (SELECT cost_usd FROM least_of) ORDER BY cost_usd DESC, trace_id LIMIT 5)
  UNION ALL
  FROM (SELECT 3, 'most turns', place_in_table FROM task WHERE turns >= (SELECT turns FROM least_of) ORDER BY turns DESC, trace_id LIMIT 5)
  UNION ALL
  FROM (SELECT 5, 'failed', place_in_table FROM task WHERE failed AND start >= (SELECT failed_at FROM least_of)
    ORDER BY start DESC, trace_id LIMIT 5)
)
SELECT c.place, c.kind, t.start, t.feature, t.model, t.duration_s, t.turns, t.calls, t.tokens, CAST(t.cost_usd AS DOUBLE) AS cost_usd, t.status,
  t.outcome, t.task_cluster AS cluster, t.errors, t.team, t.environment, t.scenario, t.service, t.trace_id, t.source,
  t.status = 'error' OR t.outcome = 'failure' AS failed
FROM chosen c JOIN tasks t ON t.rowid = c.place_in_table
ORDER BY place, CASE place WHEN 1 THEN t.duration_s WHEN 2 THEN t.cost_usd WHEN 3 THEN t.turns ELSE epoch(t.start) END DESC, trace_id
