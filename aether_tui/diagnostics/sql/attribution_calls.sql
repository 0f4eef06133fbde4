-- Model calls by feature, team and model.
SELECT feature, team, model, sum(calls) AS calls, sum(errors) AS errors, sum(calls - costed_calls) AS unpriced,
  sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) AS tokens, sum(cost_usd) AS cost_usd
FROM llm_hourly
WHERE hour >= $since AND hour < $until AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY ALL
ORDER BY ALL
