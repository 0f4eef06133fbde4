-- The slowest cases of the newest run of every suite, and what all its cases took.
WITH newest AS (
  SELECT source, id, repo, suite
  FROM test_runs
  WHERE started >= $since AND started < $until AND tests > 0
  QUALIFY row_number() OVER (PARTITION BY repo, suite ORDER BY started DESC, id DESC) = 1
)
SELECT n.repo, n.suite, concat_ws('.', c.classname, coalesce(c.name, c.case_key)) AS name, c.duration_s,
  CAST(sum(CAST(c.duration_s AS DECIMAL(38, 9))) OVER (PARTITION BY c.run_id) AS DOUBLE) AS total
FROM newest AS n JOIN test_cases AS c ON c.source = n.source AND c.run_id = n.id
WHERE c.duration_s IS NOT NULL AND c.started >= $since
QUALIFY row_number() OVER (PARTITION BY c.run_id ORDER BY c.duration_s DESC, c.case_key, c.ordinal) <= 6
ORDER BY 1, 2, 4 DESC, 3
