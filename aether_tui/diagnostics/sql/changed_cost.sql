-- Billed usage by day, in the engagement's currency; purchases and credits are no daily course.
SELECT day, environment, service, sum(billed) AS billed
FROM cost_daily
WHERE day >= $since_day AND day < $until_day AND currency = $currency
  AND coalesce(charge_category, 'Usage') = 'Usage'
  AND ($environment::VARCHAR IS NULL OR environment = $environment) AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service) AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
