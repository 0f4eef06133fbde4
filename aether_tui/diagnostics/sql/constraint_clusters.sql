-- Success by request category, where enough tasks say how they ended.
SELECT task_cluster AS cluster, count(*) AS n, count(*) FILTER (WHERE outcome = 'success') AS k
FROM tasks
WHERE start >= $since AND start < $until AND outcome IS NOT NULL AND task_cluster IS NOT NULL
  AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY task_cluster
HAVING count(*) >= 20
ORDER BY k / n, cluster
