-- Task durations in 2 % buckets, at their geometric midpoint, by day (cut): `n` of each `x`.
WITH bucketed AS (
  SELECT {cut(start)} AS day, took AS bucket, count(*) AS n
  FROM tasks
  WHERE start >= $before AND start < $until AND took > -10000 AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
  GROUP BY day, bucket
)
SELECT day, list(pow(1.02, bucket + 0.5)) AS x, list(n) AS n FROM bucketed GROUP BY day ORDER BY day
