-- Billed cost by environment and day: what is used, what is charged otherwise (support, credits, taxes), and how many rows.
SELECT environment, currency, day,
  sum(billed) FILTER (WHERE coalesce(charge_category, 'Usage') = 'Usage') AS used,
  sum(billed) FILTER (WHERE charge_category <> 'Usage') AS other,
  sum("rows") FILTER (WHERE coalesce(charge_category, 'Usage') = 'Usage') AS n
FROM cost_daily
WHERE day >= $since_day AND day < $until
  AND ($service::VARCHAR IS NULL OR service = $service) AND ($feature::VARCHAR IS NULL OR feature = $feature)
  AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
