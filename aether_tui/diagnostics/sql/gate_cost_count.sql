-- Requests of which every call has a cost.
SELECT count(*) AS n, sum(cost_usd) AS total
FROM tasks
WHERE start >= $from_day AND start < $until_day AND cost_usd IS NOT NULL AND unpriced_calls = 0
  AND ($live::VARCHAR IS NULL OR environment = $live) AND ($feature::VARCHAR IS NULL OR feature = $feature)
ORDER BY ALL
