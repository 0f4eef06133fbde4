-- How long the fifth-slowest task with a model call took, and the fifth-slowest that failed: whoever is slower stands out. In order of
-- time alone they are then found without a look at most of the others.
WITH task AS NOT MATERIALIZED (
  SELECT duration_s, outcome
  FROM tasks
  WHERE start >= $since AND start < $until AND calls > 0 AND duration_s IS NOT NULL AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
)
SELECT (SELECT min(duration_s) FROM (SELECT duration_s FROM task ORDER BY duration_s DESC LIMIT 5)) AS slowest,
  (SELECT min(duration_s) FROM (SELECT duration_s FROM task WHERE outcome = 'failure' ORDER BY duration_s DESC LIMIT 5)) AS failing
