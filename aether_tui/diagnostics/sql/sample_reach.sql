-- Of the tasks with a model call that begin in each of the given moments: how many, and when the last one ends.
SELECT len(list_filter($begins::TIMESTAMP[], lambda begin: begin <= start)) AS moment, count(*) AS n,
  max(start + to_microseconds(CAST(least(duration_s, 86400) * 1e6 AS BIGINT) + 1)) AS reach
FROM tasks
WHERE {during(start)} AND start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY moment
ORDER BY moment
