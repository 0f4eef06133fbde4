-- Usage of each resource, on workdays and at weekends, and at list price where all of it has one; `days` is what that cost stands for: the days of the bill,
-- or from the first to the end of the last of its own charges, where those are longer (a month, often, of which nobody knows the weekends).
SELECT environment, service, resource, service_category AS category, currency,
  sum(effective_cost) FILTER (WHERE isodow(charge_start) > 5 AND coalesce(charge_end, charge_start) <= charge_start + INTERVAL 1 DAY) AS weekend, sum(effective_cost) AS cost,
  CASE WHEN count(list_cost) = count(*) THEN sum(list_cost) END AS list,
  greatest(
    (SELECT count(DISTINCT date_trunc('day', charge_start)) FROM costs WHERE charge_start >= $since AND charge_start < $until),
    date_diff('day', min(charge_start), max(coalesce(charge_end, charge_start)))
  ) AS days
FROM costs
WHERE charge_start >= $since AND charge_start < $until AND coalesce(charge_category, 'Usage') = 'Usage' AND resource IS NOT NULL
  AND ($environment::VARCHAR IS NULL OR environment = $environment) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY 1, 2, 3, 4, 5
HAVING sum(effective_cost) > 0
ORDER BY 7 DESC, 3
