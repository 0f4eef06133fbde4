-- Task durations in 2 % buckets, at their geometric midpoint.
SELECT date_trunc('day', start) AS day, pow(1.02, floor(ln(duration_s) / ln(1.02)) + 0.5) AS x, count(*) AS n
FROM tasks
WHERE start >= $before AND start < $until AND duration_s > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day, x
ORDER BY ALL
