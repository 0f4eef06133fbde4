-- Model calls by day and end user (a keyed hash).
SELECT {day(start)} AS day, environment, service, feature, team, "user", count(*) AS calls, sum(cost_usd) AS cost_usd,
    count(cost_usd) AS with_cost
FROM {spans}
WHERE {model_call} AND start IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6
