-- Tasks with a known outcome and a whole price, by day and request category: what a cycle's gain is made of.
SELECT date_trunc('day', start) AS day, coalesce(task_cluster, '') AS cluster,
  count(*) FILTER (WHERE outcome IS NOT NULL AND cost_usd IS NOT NULL AND unpriced_calls = 0) AS tasks,
  count(*) FILTER (WHERE outcome = 'success' AND cost_usd IS NOT NULL AND unpriced_calls = 0) AS successes,
  CAST(sum(cost_usd) FILTER (WHERE outcome IS NOT NULL AND unpriced_calls = 0) AS DOUBLE) AS cost_usd,
  count(*) AS all_tasks
FROM tasks
WHERE start >= $from_at AND start < $to_at AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY 1, 2
ORDER BY 1, 2
