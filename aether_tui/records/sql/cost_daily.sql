-- Charges by day and dimension; currencies are never added up.
SELECT {day(charge_start)} AS day, environment, service, team, feature, provider, charge_category, currency,
    sum(billed_cost) AS billed, sum(effective_cost) AS effective, count(*) AS "rows"
FROM {costs}
WHERE charge_start IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
