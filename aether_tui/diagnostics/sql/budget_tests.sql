-- The newest runs of each suite, and those of about 90 days ago.
SELECT id, source, repo, suite, started, duration_s, flaky, partial, started < $drift_until AS old
FROM (
  SELECT id, source, repo, suite, started, duration_s, flaky, partial,
    row_number() OVER (PARTITION BY repo, suite ORDER BY started DESC, id DESC) AS place,
    row_number() OVER (PARTITION BY repo, suite, started < $drift_until ORDER BY started DESC, id DESC) AS old_place
  FROM test_runs
  WHERE started >= $drift_since AND started < $until AND tests > 0
    AND regexp_full_match(coalesce(repo, ''), $repo, 'i') AND regexp_full_match(coalesce(suite, ''), $suite, 'i')
    AND regexp_full_match(coalesce(branch, ''), $branch, 'i')
)
WHERE place <= $keep OR (started < $drift_until AND old_place <= $keep)
ORDER BY repo, suite, started
