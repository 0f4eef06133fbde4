-- Model calls of each path (environment and feature), how many carry model, token counts and latency, and the share that is needed.
SELECT day, coalesce(environment, '') || '/' || coalesce(feature, '') AS path, sum(calls) AS calls, sum(with_model) AS model,
  sum(with_input_tokens) AS input_tokens, sum(with_output_tokens) AS output_tokens, sum(with_latency) AS latency,
  $fields_share::DOUBLE AS needed
FROM coverage_daily
WHERE day >= $before AND day < $until AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day, path
ORDER BY ALL
