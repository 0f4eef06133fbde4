-- Model calls by day, prompt template and version.
SELECT {day(start)} AS day, environment, service, feature, team, prompt_name, prompt_version, count(*) AS calls, sum(cost_usd) AS cost_usd
FROM {spans}
WHERE {model_call} AND start IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
