-- Test runs by suite.
SELECT {day(started)} AS day, repo, suite, branch,
    count(*) AS runs, sum(tests) AS tests, sum(failed) AS failed, sum(errors) AS errors, sum(skipped) AS skipped,
    sum(flaky) AS flaky, sum(CASE WHEN partial THEN 1 ELSE 0 END) AS partial,
    {exact_sum(duration_s)} AS duration_s_sum, max(duration_s) AS duration_s_max
FROM {test_runs}
WHERE started IS NOT NULL
GROUP BY 1, 2, 3, 4
