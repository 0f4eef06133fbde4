-- Tasks where it counts, by whole days. Rows of a source that pushed rollups before they told requests apart are left out.
SELECT day, coalesce(scenario, feature) AS scenario, model, sum(tasks) AS tasks, sum(tokens) AS tokens, sum(cost_usd) AS cost,
  sum(with_cost) AS costed, coalesce(sum(tasks) FILTER (outcome = 'success'), 0) AS succeeded,
  coalesce(sum(tasks) FILTER (outcome IS NOT NULL), 0) AS judged
FROM task_coverage_daily
WHERE day >= $since_day AND day < $until_day AND called IS NOT NULL AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
