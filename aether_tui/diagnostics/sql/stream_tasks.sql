-- Tasks by request category in the hours that stream_steps sums; seconds as there.
SELECT task_cluster AS cluster, count(*) AS n, count(outcome) AS known, count(*) FILTER (WHERE outcome = 'failure') AS failed,
  CAST(sum(TRY_CAST(duration_s AS DECIMAL(24, 6))) AS DOUBLE) AS duration_s
FROM tasks
WHERE start >= date_trunc('day', $since::TIMESTAMP) AND start < date_trunc('hour', $until::TIMESTAMP - INTERVAL 1 MICROSECOND) + INTERVAL 1 HOUR
  AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY task_cluster
ORDER BY task_cluster
