-- What a month's bill consists of so far, by service, with the same days of the month before.
SELECT environment, currency, coalesce(service, 'no service') AS name,
  sum(billed) FILTER (WHERE day >= $month_start) AS now,
  sum(billed) FILTER (WHERE day < $month_start - INTERVAL 1 MONTH + ($until - $month_start)) AS before
FROM cost_daily
WHERE day >= $month_start - INTERVAL 1 MONTH AND day < $until
GROUP BY 1, 2, 3
ORDER BY 1, 2, 4 DESC NULLS LAST, 3
