-- What the jobs of a workflow take, at the median of the newest four weeks, and how much of all its jobs that is.
SELECT r.repo, r.workflow, j.name, quantile_disc(j.run_s, 0.5) AS median_s, count(*) AS n,
  CAST(sum(CAST(j.run_s AS DECIMAL(38, 6))) AS DOUBLE)
    / CAST(sum(sum(CAST(j.run_s AS DECIMAL(38, 6)))) OVER (PARTITION BY r.repo, r.workflow) AS DOUBLE) AS share
FROM pipeline_jobs AS j JOIN pipeline_runs AS r ON r.source = j.source AND r.id = j.run_id AND r.attempt = j.attempt
WHERE r.created >= $since AND r.created < $until AND j.started >= $since AND j.run_s IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 6 DESC, 3
