-- Tasks where it counts, by day.
SELECT day, coalesce(scenario, feature) AS scenario, model, sum(tasks) AS tasks, sum(tokens) AS tokens, sum(cost_usd) AS cost,
  sum(with_cost) AS costed, coalesce(sum(tasks) FILTER (outcome = 'success'), 0) AS succeeded,
  coalesce(sum(tasks) FILTER (outcome IS NOT NULL), 0) AS judged
FROM {requests($since_day, $until_day)} AS request
WHERE ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
