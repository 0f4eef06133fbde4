-- Per environment and feature: requests, and how many have a root span, a category and an outcome.
SELECT environment, feature, sum(tasks) AS requests, sum(with_root) AS root, sum(with_cluster) AS task_cluster,
  sum(with_outcome) AS outcome
FROM task_coverage_daily
WHERE day >= $since AND day < $until AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY environment, feature
ORDER BY environment, feature
