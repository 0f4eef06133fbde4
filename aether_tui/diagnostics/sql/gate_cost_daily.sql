SELECT date_trunc('day', hour) AS day, sum(cost_usd) AS cost
FROM llm_hourly
WHERE hour >= $from_day AND hour < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day
ORDER BY day
