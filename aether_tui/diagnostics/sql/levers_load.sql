-- Model calls of each service per workday and per day of a weekend.
SELECT service, sum(calls) FILTER (WHERE isodow(hour) <= 5) / count(DISTINCT date_trunc('day', hour)) FILTER (WHERE isodow(hour) <= 5) AS workday,
  sum(calls) FILTER (WHERE isodow(hour) > 5) / count(DISTINCT date_trunc('day', hour)) FILTER (WHERE isodow(hour) > 5) AS weekend
FROM llm_hourly
WHERE hour >= $since AND hour < $until AND environment = 'production' AND service IS NOT NULL
GROUP BY 1
ORDER BY 1
