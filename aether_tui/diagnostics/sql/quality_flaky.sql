-- Case executions that failed and passed on the same code, of those that ran.
SELECT day, sum(flaky) AS k, sum(tests - skipped) AS n
FROM tests_daily
WHERE day >= $before AND day < $until
GROUP BY day
HAVING sum(tests - skipped) > 0
ORDER BY ALL
