SELECT day, sum(with_outcome) AS k, sum(tasks) AS n
FROM task_coverage_daily
WHERE day >= $before AND day < $until AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day
ORDER BY ALL
