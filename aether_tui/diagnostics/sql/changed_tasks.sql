-- Tasks where it counts, by day: one rollup row per trace.
SELECT date_trunc('day', start) AS day, coalesce(scenario, feature) AS scenario, model, count(*) AS tasks, sum(tokens) AS tokens,
  sum(cost_usd) AS cost, count(cost_usd) AS costed, count(*) FILTER (WHERE outcome = 'success') AS succeeded, count(outcome) AS judged
FROM tasks
WHERE start >= $since_day AND start < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
