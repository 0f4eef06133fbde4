-- A repeatable sample of failed tasks: the same for the same seed, whatever the order of rows.
SELECT source, trace_id AS trace, start
FROM tasks
WHERE start >= $since AND start < $until AND outcome = 'failure' AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
ORDER BY md5($seed || '/' || source || '/' || trace_id)
LIMIT $sample
