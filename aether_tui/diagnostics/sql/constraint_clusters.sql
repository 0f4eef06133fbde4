-- Success by request category, where enough tasks say how they ended.
SELECT task_cluster AS cluster, CAST(sum(tasks) AS BIGINT) AS n, CAST(coalesce(sum(tasks) FILTER (outcome = 'success'), 0) AS BIGINT) AS k
FROM {requests($since, $until)} AS request
WHERE outcome IS NOT NULL AND task_cluster IS NOT NULL
  AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY task_cluster
HAVING sum(tasks) >= 20
ORDER BY k / n, cluster
