-- Per path: requests since an instant, and how many have a category.
SELECT environment, feature, count(*) AS requests, count(task_cluster) AS clusters
FROM tasks
WHERE start >= $from_day AND start < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY environment, feature
ORDER BY environment, feature
