-- Rows stored, per record table and source.
SELECT 'work_items' AS name, source, count(*) AS n FROM work_items GROUP BY source
UNION ALL SELECT 'work_transitions' AS name, source, count(*) AS n FROM work_transitions GROUP BY source
UNION ALL SELECT 'iterations' AS name, source, count(*) AS n FROM iterations GROUP BY source
UNION ALL SELECT 'iteration_items' AS name, source, count(*) AS n FROM iteration_items GROUP BY source
UNION ALL SELECT 'projects' AS name, source, count(*) AS n FROM projects GROUP BY source
UNION ALL SELECT 'work_links' AS name, source, count(*) AS n FROM work_links GROUP BY source
UNION ALL SELECT 'pull_requests' AS name, source, count(*) AS n FROM pull_requests GROUP BY source
UNION ALL SELECT 'deployments' AS name, source, count(*) AS n FROM deployments GROUP BY source
UNION ALL SELECT 'pipeline_runs' AS name, source, count(*) AS n FROM pipeline_runs GROUP BY source
UNION ALL SELECT 'pipeline_jobs' AS name, source, count(*) AS n FROM pipeline_jobs GROUP BY source
UNION ALL SELECT 'test_runs' AS name, source, count(*) AS n FROM test_runs GROUP BY source
UNION ALL SELECT 'test_cases' AS name, source, count(*) AS n FROM test_cases GROUP BY source
UNION ALL SELECT 'costs' AS name, source, count(*) AS n FROM costs GROUP BY source
UNION ALL SELECT 'cost_estimates' AS name, source, count(*) AS n FROM cost_estimates GROUP BY source
UNION ALL SELECT 'spans' AS name, source, count(*) AS n FROM spans GROUP BY source
UNION ALL SELECT 'product_metrics' AS name, source, count(*) AS n FROM product_metrics GROUP BY source
ORDER BY name, source
