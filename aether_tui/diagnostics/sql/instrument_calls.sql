-- Per environment and feature: model calls, and how many carry each field.
SELECT environment, feature, sum(calls) AS calls, sum(with_model) AS model, sum(with_input_tokens) AS input_tokens,
  sum(with_output_tokens) AS output_tokens, sum(with_latency) AS latency, sum(with_first_token) AS first_token,
  sum(with_cost) AS cost, sum(with_feature) AS feature_named, sum(with_team) AS team, sum(with_user) AS "user",
  sum(with_prompt_version) AS prompt_version
FROM coverage_daily
WHERE day >= $since AND day < $until AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY environment, feature
ORDER BY environment, feature
