-- Per path: model cost, the part with feature and team, and the calls that have a cost.
SELECT environment, feature, sum(cost_usd) AS cost, sum(cost_attributed_usd) AS attributed, sum(costed_calls) AS costed
FROM llm_hourly
WHERE hour >= $from_day AND hour < $until_day AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY environment, feature
ORDER BY environment, feature
