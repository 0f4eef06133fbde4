SELECT CAST(CAST(hour AS DATE) AS TIMESTAMP) AS day, sum(errors) AS k, sum(calls) AS n
FROM llm_hourly
WHERE hour >= $before AND hour < $until AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY CAST(hour AS DATE)
ORDER BY ALL
