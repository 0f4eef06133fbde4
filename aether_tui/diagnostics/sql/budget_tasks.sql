-- Whole days of each scenario (feature where it has none): medians per task, nearest rank, and the model most used.
SELECT coalesce(scenario, feature) AS scenario, date_trunc('day', start) AS day, count(*) AS n,
  quantile_disc(cost_usd, 0.5) FILTER (WHERE unpriced_calls = 0) AS cost,
  count(cost_usd) FILTER (WHERE unpriced_calls = 0) AS n_cost,
  quantile_disc(tokens, 0.5) AS tokens, count(tokens) AS n_tokens,
  quantile_disc(duration_s / turns, 0.5) FILTER (WHERE turns > 0) AS latency, count(*) FILTER (WHERE turns > 0) AS n_latency,
  mode(model) AS model
FROM tasks
WHERE start >= $drift_since AND start < $until_day AND calls > 0
  AND ($live::VARCHAR IS NULL OR $env <> '.*' OR environment = $live)
  AND regexp_full_match(coalesce(scenario, feature, ''), $scenario, 'i')
  AND regexp_full_match(coalesce(environment, ''), $env, 'i') AND regexp_full_match(coalesce(service, ''), $of_service, 'i')
  AND regexp_full_match(coalesce(feature, ''), $of_feature, 'i') AND regexp_full_match(coalesce(team, ''), $of_team, 'i')
  AND regexp_full_match(coalesce(model, ''), $model, 'i')
  AND ($service::VARCHAR IS NULL OR service = $service) AND ($feature::VARCHAR IS NULL OR feature = $feature)
  AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY 1, 2
ORDER BY 1, 2
