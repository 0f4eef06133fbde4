-- Models whose calls have no cost, most calls first.
SELECT model, sum(calls - costed_calls) AS calls
FROM llm_hourly
WHERE hour >= $from_day AND hour < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY model
HAVING sum(calls - costed_calls) > 0
ORDER BY calls DESC, model
LIMIT 3
