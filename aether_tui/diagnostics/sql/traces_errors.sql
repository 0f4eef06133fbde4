-- The tasks of the window with the most errors, by what the last of them has (traces_edges), and when they begin and end: all that have
-- more, and of those that have as much the newest.
WITH task AS NOT MATERIALIZED (
  SELECT start, errors, trace_number, rowid AS place
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
)
SELECT start, feature, model, duration_s, turns, calls, tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, status, outcome,
  task_cluster AS cluster, errors, team, environment, scenario, service, trace_id, source,
  start AS begins, start + to_microseconds(CAST(least(duration_s, 86400) * 1e6 AS BIGINT) + 1) AS reaches
FROM tasks
WHERE rowid IN (
  SELECT place FROM task WHERE errors > $failing::BIGINT
  UNION ALL
  FROM (SELECT place FROM task WHERE errors = $failing::BIGINT ORDER BY start DESC, trace_number LIMIT $most)
)
ORDER BY errors DESC, start DESC, trace_number
LIMIT $most
