-- Model calls by prompt template and version; whole days.
SELECT CASE WHEN prompt_name IS NULL AND prompt_version IS NULL THEN NULL ELSE concat_ws(' ', prompt_name, prompt_version) END AS name,
  sum(calls) AS calls, sum(cost_usd) AS cost_usd
FROM prompts_hourly
WHERE hour >= date_trunc('day', $since::TIMESTAMP) AND hour < $until AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1
ORDER BY 1
