-- Nearest-rank p50 and p95 of a day, from the mergeable histogram (2 % buckets, geometric midpoint).
SELECT day, kind, segment, any_value(total) AS n,
  min(CASE WHEN seen >= ceil(0.5 * total) THEN x END) AS p50, min(CASE WHEN seen >= ceil(0.95 * total) THEN x END) AS p95
FROM (
  SELECT day, kind, segment, CASE WHEN bucket = -10000 THEN 0.0 ELSE pow(1.02, bucket + 0.5) END AS x,
    sum(n) OVER (PARTITION BY day, kind, segment ORDER BY bucket) AS seen, sum(n) OVER (PARTITION BY day, kind, segment) AS total
  FROM duration_hist
  WHERE day >= $since_day AND day < $until_day AND list_contains($kinds, kind)
) AS ranked
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
