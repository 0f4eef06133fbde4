-- The newest runs of each package's cases, and those of about 90 days ago; a report may hold several packages.
WITH runs AS (
  SELECT r.source, r.id, r.repo, r.suite, c.package, r.started, r.partial, r.started < $drift_until AS old,
    fsum(c.duration_s) AS duration_s, count(*) FILTER (c.flaky) AS flaky
  FROM test_runs AS r JOIN test_cases AS c ON c.source = r.source AND c.run_id = r.id
  WHERE r.started >= $drift_since AND r.started < $until AND c.package IS NOT NULL
    AND regexp_full_match(coalesce(r.repo, ''), $repo, 'i') AND regexp_full_match(coalesce(r.suite, ''), $suite, 'i')
    AND regexp_full_match(coalesce(r.branch, ''), $branch, 'i') AND regexp_full_match(c.package, $package, 'i')
  GROUP BY ALL
)
SELECT *
FROM (
  SELECT *,
    row_number() OVER (PARTITION BY repo, suite, package ORDER BY started DESC, id DESC) AS place,
    row_number() OVER (PARTITION BY repo, suite, package, old ORDER BY started DESC, id DESC) AS old_place
  FROM runs
)
WHERE place <= $keep OR (old AND old_place <= $keep)
ORDER BY repo, suite, package, started
