-- The tasks of the window that stand out in each way, by what the fifth has (traces_edges): all that have more, and of those that have
-- as much the five newest.
WITH task AS NOT MATERIALIZED (
  SELECT start, duration_s, turns, cost_usd, trace_number, rowid AS place_in_table, status = 'error' OR outcome = 'failure' AS failed
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
), chosen AS MATERIALIZED (
  SELECT 1 AS place, 'slowest' AS kind, place_in_table FROM task WHERE duration_s > $slowest::DOUBLE
  UNION ALL
  FROM (SELECT 1, 'slowest', place_in_table FROM task WHERE duration_s = $slowest::DOUBLE ORDER BY start DESC, trace_number LIMIT 5)
  UNION ALL
  SELECT 2, 'dearest', place_in_table FROM task WHERE cost_usd > $dearest::DECIMAL(38, 12)
  UNION ALL
  FROM (SELECT 2, 'dearest', place_in_table FROM task WHERE cost_usd = $dearest::DECIMAL(38, 12) ORDER BY start DESC, trace_number LIMIT 5)
  UNION ALL
  SELECT 3, 'most turns', place_in_table FROM task WHERE turns > $longest::BIGINT
  UNION ALL
  FROM (SELECT 3, 'most turns', place_in_table FROM task WHERE turns = $longest::BIGINT ORDER BY start DESC, trace_number LIMIT 5)
  UNION ALL
  FROM (SELECT 5, 'failed', place_in_table FROM task WHERE failed ORDER BY start DESC, trace_number LIMIT 5)
)
SELECT c.place, c.kind, t.start, t.feature, t.model, t.duration_s, t.turns, t.calls, t.tokens, CAST(t.cost_usd AS DOUBLE) AS cost_usd, t.status,
  t.outcome, t.task_cluster AS cluster, t.errors, t.team, t.environment, t.scenario, t.service, t.trace_id, t.source
FROM chosen c JOIN tasks t ON t.rowid = c.place_in_table
ORDER BY place, CASE place WHEN 1 THEN t.duration_s WHEN 2 THEN t.cost_usd WHEN 3 THEN t.turns END DESC, t.start DESC, trace_number
