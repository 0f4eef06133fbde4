-- Tokens of each model by day, to be priced at the prices of that day and of another.
SELECT date_trunc('day', hour) AS day, provider, model, sum(calls) AS calls, sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens,
  sum(cached_tokens) AS cached_tokens, sum(cost_usd)::DOUBLE AS cost_usd
FROM llm_hourly
WHERE hour >= $from_at AND hour < $to_at AND model IS NOT NULL AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
