-- The slowest cases of one test run, or of one package in it.
SELECT coalesce(name, case_key) AS name, duration_s
FROM test_cases
WHERE run_id = $run AND duration_s IS NOT NULL AND ($package::VARCHAR IS NULL OR package = $package)
ORDER BY duration_s DESC, case_key
LIMIT 3
