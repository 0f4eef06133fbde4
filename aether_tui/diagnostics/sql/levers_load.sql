-- Model calls of each service per workday and per day of a weekend: whole days, for today so far is less than a day.
WITH days AS (
  SELECT service, date_trunc('day', hour) AS day, sum(calls) AS calls
  FROM llm_hourly
  WHERE hour >= date_trunc('day', $since::TIMESTAMP + INTERVAL 86399999999 MICROSECONDS) AND hour < date_trunc('day', $until::TIMESTAMP)
    AND environment = 'production' AND service IS NOT NULL
  GROUP BY ALL
)
SELECT service, avg(calls) FILTER (WHERE isodow(day) <= 5) AS workday, avg(calls) FILTER (WHERE isodow(day) > 5) AS weekend
FROM days
GROUP BY service
ORDER BY service
