-- Model calls where it counts, by day.
SELECT date_trunc('day', hour) AS day, feature, model, sum(calls) AS calls, sum(errors) AS errors,
  sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) AS tokens, sum(cost_usd) AS cost
FROM llm_hourly
WHERE hour >= $since_day AND hour < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
