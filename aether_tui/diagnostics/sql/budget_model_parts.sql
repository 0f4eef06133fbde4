-- What a month's model calls consist of, by feature and model.
SELECT concat_ws(' · ', coalesce(feature, 'no feature'), model) AS name, sum(cost_usd) AS cost,
  sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) AS tokens
FROM llm_hourly
WHERE hour >= $since_hour AND hour < $until
  AND regexp_full_match(coalesce(environment, ''), $env, 'i') AND regexp_full_match(coalesce(service, ''), $of_service, 'i')
  AND regexp_full_match(coalesce(feature, ''), $of_feature, 'i') AND regexp_full_match(coalesce(team, ''), $of_team, 'i')
  AND regexp_full_match(coalesce(model, ''), $of_model, 'i')
  AND ($service::VARCHAR IS NULL OR service = $service) AND ($feature::VARCHAR IS NULL OR feature = $feature)
  AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY 1
ORDER BY 1
