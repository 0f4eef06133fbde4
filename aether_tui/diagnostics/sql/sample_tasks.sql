-- A repeatable sample of tasks with a model call, of those that begin at the given moments: how many steps they have, when they end.
SELECT source, trace_id, calls + tool_calls AS steps, start,
  start + to_microseconds(CAST(least(duration_s, 86400) * 1e6 AS BIGINT) + 1) AS reach
FROM tasks
WHERE {during(start)} AND start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
ORDER BY md5(trace_id), source
LIMIT $sample
