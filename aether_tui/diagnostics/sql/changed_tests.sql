-- Test runs by day.
SELECT day, suite, repo, sum(runs) AS runs, sum(tests) AS tests, sum(failed + errors) AS failed, sum(flaky) AS flaky
FROM tests_daily
WHERE day >= $since_day AND day < $until_day
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
