-- The latest estimate of every project, with the one before for estimates that say no past cost.
SELECT project, environment, currency, "at", monthly_cost, past_monthly_cost, errors,
  lead(monthly_cost) OVER w AS monthly_before
FROM cost_estimates
WHERE "at" < $until
WINDOW w AS (PARTITION BY source, project ORDER BY "at" DESC)
QUALIFY row_number() OVER w = 1
ORDER BY environment, project
