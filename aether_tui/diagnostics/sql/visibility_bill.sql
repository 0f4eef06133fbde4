-- Billed cost with a team, of all billed cost (credits and refunds, which are negative, left out); `m` counts charges.
SELECT day, sum(billed) FILTER (WHERE team IS NOT NULL) AS k, sum(billed) AS n, sum("rows") AS m
FROM cost_daily
WHERE day >= $before AND day < $until AND billed > 0 AND currency = $currency
  AND ($environment::VARCHAR IS NULL OR environment = $environment)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY day
ORDER BY ALL
