-- Every case of the newest runs of each suite.
WITH newest AS (
  SELECT source, id, repo, suite, duration_s, suite_time_s
  FROM test_runs
  WHERE started >= $since AND started < $until AND tests > 0 AND NOT coalesce(partial, FALSE)
  QUALIFY row_number() OVER (PARTITION BY repo, suite ORDER BY started DESC, id DESC) <= 30
)
SELECT n.repo, n.suite, concat_ws('.', c.classname, coalesce(c.name, c.case_key)) AS name, count(*) AS n,
  quantile_disc(c.duration_s, 0.5) AS p50, quantile_disc(c.duration_s, 0.1) AS p10, quantile_disc(c.duration_s, 0.9) AS p90,
  count(*) FILTER (WHERE c.flaky) AS flaky
FROM newest AS n JOIN test_cases AS c ON c.source = n.source AND c.run_id = n.id
WHERE c.started >= $since AND c.duration_s IS NOT NULL
GROUP BY 1, 2, 3
ORDER BY 1, 2, 5 DESC, 3
