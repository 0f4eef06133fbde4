-- Rows stored, per record table.
SELECT 'work_items' AS name, count(*) AS n FROM work_items
UNION ALL SELECT 'work_transitions' AS name, count(*) AS n FROM work_transitions
UNION ALL SELECT 'iterations' AS name, count(*) AS n FROM iterations
UNION ALL SELECT 'iteration_items' AS name, count(*) AS n FROM iteration_items
UNION ALL SELECT 'projects' AS name, count(*) AS n FROM projects
UNION ALL SELECT 'work_links' AS name, count(*) AS n FROM work_links
UNION ALL SELECT 'pull_requests' AS name, count(*) AS n FROM pull_requests
UNION ALL SELECT 'deployments' AS name, count(*) AS n FROM deployments
UNION ALL SELECT 'pipeline_runs' AS name, count(*) AS n FROM pipeline_runs
UNION ALL SELECT 'pipeline_jobs' AS name, count(*) AS n FROM pipeline_jobs
UNION ALL SELECT 'test_runs' AS name, count(*) AS n FROM test_runs
UNION ALL SELECT 'test_cases' AS name, count(*) AS n FROM test_cases
UNION ALL SELECT 'costs' AS name, count(*) AS n FROM costs
UNION ALL SELECT 'cost_estimates' AS name, count(*) AS n FROM cost_estimates
UNION ALL SELECT 'spans' AS name, count(*) AS n FROM spans
UNION ALL SELECT 'outcomes' AS name, count(*) AS n FROM outcomes
UNION ALL SELECT 'product_metrics' AS name, count(*) AS n FROM product_metrics
ORDER BY name
