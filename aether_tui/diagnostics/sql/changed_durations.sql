-- Durations of a day: the cells of the mergeable histogram (2 % buckets), each as bucket × 2⁴⁰ + n, which sorts by bucket. A window
-- function over them, from which the percentiles would follow, takes three times as long.
SELECT day, kind, segment, CAST(sum(n) AS BIGINT) AS n, list(CAST(bucket AS BIGINT) * 1099511627776 + n) AS cells
FROM duration_hist
WHERE day >= $since_day AND day < $until_day AND list_contains($kinds, kind)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
