-- Per path: requests, and how many have a root span, a category and an outcome.
SELECT environment, feature, sum(tasks) AS requests, sum(with_root) AS roots, sum(with_cluster) AS clusters,
  sum(with_outcome) AS outcomes
FROM task_coverage_daily
WHERE day >= $from_day AND day < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY environment, feature
ORDER BY environment, feature
