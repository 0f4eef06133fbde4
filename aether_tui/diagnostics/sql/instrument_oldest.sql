-- Oldest row and number of rows of every table that retention can be set for.
SELECT 'spans' AS name, min(start) AS oldest, count(*) AS n FROM spans
UNION ALL SELECT 'span_payloads' AS name, min(start) AS oldest, count(*) AS n FROM span_payloads
UNION ALL SELECT 'pipeline_runs' AS name, min(created) AS oldest, count(*) AS n FROM pipeline_runs
UNION ALL SELECT 'pipeline_jobs' AS name, min(created) AS oldest, count(*) AS n FROM pipeline_jobs
UNION ALL SELECT 'test_runs' AS name, min(started) AS oldest, count(*) AS n FROM test_runs
UNION ALL SELECT 'test_cases' AS name, min(started) AS oldest, count(*) AS n FROM test_cases
UNION ALL SELECT 'costs' AS name, min(charge_start) AS oldest, count(*) AS n FROM costs
UNION ALL SELECT 'product_metrics' AS name, min(day) AS oldest, count(*) AS n FROM product_metrics
ORDER BY name
