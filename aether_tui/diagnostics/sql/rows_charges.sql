-- Charges of the window that name no team, the dearest first.
SELECT source, row_hash AS id, coalesce(source_service, provider, '') AS name, coalesce(resource, account, '') AS title,
  CAST(billed_cost AS DOUBLE) AS value, charge_start AS "at", provider, account, region, charge_category, environment, service, currency, tags,
  count(*) OVER () AS of
FROM costs
WHERE charge_start >= $since AND charge_start < $until AND team IS NULL AND billed_cost > 0
  AND ($service::VARCHAR IS NULL OR service = $service)
ORDER BY value DESC NULLS LAST, source, id
LIMIT 60
