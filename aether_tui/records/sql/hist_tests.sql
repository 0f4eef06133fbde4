-- Duration of test runs, by suite. Reports that were cut short would look fast and are left out.
SELECT {day(started)} AS day, 'test_suite' AS kind, coalesce(suite, '') AS segment, {log_bucket(duration_s)} AS bucket,
    count(*) AS n
FROM {test_runs}
WHERE duration_s IS NOT NULL AND started IS NOT NULL AND NOT coalesce(partial, FALSE)
GROUP BY 1, 2, 3, 4
