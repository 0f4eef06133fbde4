-- Model cost with feature and team, of all model cost; `m` counts the calls that have a cost.
SELECT CAST(CAST(hour AS DATE) AS TIMESTAMP) AS day, sum(cost_attributed_usd) AS k, sum(cost_usd) AS n, sum(costed_calls) AS m
FROM llm_hourly
WHERE hour >= $before AND hour < $until AND costed_calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY CAST(hour AS DATE)
ORDER BY ALL
