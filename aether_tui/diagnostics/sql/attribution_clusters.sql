-- Cost of tasks by request category; a task's cost is that of its model calls.
SELECT task_cluster AS name, sum(calls) AS calls, sum(unpriced_calls) AS unpriced, sum(cost_usd) AS cost_usd
FROM {requests($since, $until)} AS request
WHERE called AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1
ORDER BY 1
