-- What each suite takes, and what its cases together do not account for.
SELECT repo, suite, count(*) AS n, quantile_disc(duration_s, 0.5) AS p50, count(suite_time_s) AS stated,
  quantile_disc(suite_time_s - duration_s, 0.25) AS low, quantile_disc(suite_time_s - duration_s, 0.75) AS high
FROM test_runs
WHERE started >= $since AND started < $until AND tests > 0 AND NOT coalesce(partial, FALSE)
GROUP BY 1, 2
ORDER BY 1, 2
