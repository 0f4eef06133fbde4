-- When the tasks with a model call begin, at the given fractions of every so manieth of them by their number, whichever order they came in.
SELECT quantile_disc(start, $fractions::DOUBLE[]) AS edges
FROM tasks
WHERE start >= $since AND start < $until AND trace_number <= 18446744073709551615::UBIGINT // $every::UBIGINT AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
