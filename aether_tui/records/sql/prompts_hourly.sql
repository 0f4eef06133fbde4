-- Model calls by hour, prompt template and version.
SELECT {hour(start)} AS hour, environment, service, feature, team, prompt_name, prompt_version, count(*) AS calls, sum(cost_usd) AS cost_usd,
    count(cost_usd) AS with_cost
FROM {spans}
WHERE {model_call} AND start IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
