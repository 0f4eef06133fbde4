-- The slowest tasks with a model call, and the slowest that failed, by what the fifth of them took (constraint_edges): all that took
-- longer, and of those that took as long the five newest.
WITH task AS NOT MATERIALIZED (
  SELECT start, duration_s, trace_number, outcome, rowid AS place
  FROM tasks
  WHERE start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
), chosen AS MATERIALIZED (
  SELECT 'slowest' AS what, place FROM task WHERE duration_s > $slowest::DOUBLE
  UNION ALL
  FROM (SELECT 'slowest', place FROM task WHERE duration_s = $slowest::DOUBLE ORDER BY start DESC, trace_number LIMIT 5)
  UNION ALL
  SELECT 'failure', place FROM task WHERE outcome = 'failure' AND duration_s > $failing::DOUBLE
  UNION ALL
  FROM (
    SELECT 'failure', place FROM task WHERE outcome = 'failure' AND duration_s = $failing::DOUBLE ORDER BY start DESC, trace_number LIMIT 5
  )
)
SELECT what, trace_id, duration_s, CASE WHEN took > -10000 THEN pow(1.02, took + 0.5) ELSE 0 END AS took_s
FROM chosen JOIN tasks ON tasks.rowid = chosen.place
ORDER BY what, duration_s DESC, start DESC, trace_number
