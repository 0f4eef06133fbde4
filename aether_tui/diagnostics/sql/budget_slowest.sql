-- The slowest cases of one test run.
SELECT coalesce(name, case_key) AS name, duration_s
FROM test_cases
WHERE run_id = $run AND duration_s IS NOT NULL
ORDER BY duration_s DESC, case_key
LIMIT 3
