-- Billed cost by environment and day, this month and the month before.
SELECT environment, currency, day, sum(billed) AS billed
FROM cost_daily
WHERE day >= $month_before AND day < $until
  AND ($service::VARCHAR IS NULL OR service = $service) AND ($feature::VARCHAR IS NULL OR feature = $feature)
  AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
