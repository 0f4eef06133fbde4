-- Model calls of each path (environment and feature), how many carry model, token counts and latency, and the share that is needed; by day (cut).
SELECT {cut(day)} AS day, coalesce(environment, '') || '/' || coalesce(feature, '') AS path, CAST(sum(calls) AS BIGINT) AS calls,
  CAST(sum(with_model) AS BIGINT) AS model, CAST(sum(with_input_tokens) AS BIGINT) AS input_tokens,
  CAST(sum(with_output_tokens) AS BIGINT) AS output_tokens, CAST(sum(with_latency) AS BIGINT) AS latency,
  $fields_share::DOUBLE AS needed
FROM coverage_daily
WHERE day >= $before AND day < $until AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY ALL
ORDER BY ALL
