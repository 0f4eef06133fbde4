-- Usage of each resource, on workdays and at weekends, and at list price.
SELECT environment, service, resource, service_category AS category, currency,
  sum(effective_cost) FILTER (WHERE isodow(charge_start) > 5) AS weekend, sum(effective_cost) AS cost, sum(list_cost) AS list,
  count(DISTINCT date_trunc('day', charge_start)) AS days
FROM costs
WHERE charge_start >= $since AND charge_start < $until AND coalesce(charge_category, 'Usage') = 'Usage' AND resource IS NOT NULL
  AND ($environment::VARCHAR IS NULL OR environment = $environment) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY 1, 2, 3, 4, 5
HAVING sum(effective_cost) > 0
ORDER BY 7 DESC, 3
