-- Models none of whose calls has a cost, most calls first: those of which some have one lack tokens, not a price.
SELECT model, sum(calls) AS calls
FROM llm_hourly
WHERE hour >= $from_day AND hour < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY model
HAVING sum(calls) > 0 AND sum(costed_calls) = 0
ORDER BY calls DESC, model
LIMIT 3
