SELECT environment, sum(calls) AS calls
FROM coverage_daily
GROUP BY environment
ORDER BY calls DESC, environment
