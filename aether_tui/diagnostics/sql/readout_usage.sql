-- Daily product metrics of the window and the one before, whole days only, all segments together.
SELECT metric, day, any_value(unit) AS unit, avg(value ORDER BY value) AS value, CAST(day >= $since AS INTEGER) AS present
FROM product_metrics
WHERE day >= $before AND day < $until AND coalesce(segment, '') = '' AND NOT coalesce(incomplete, FALSE) AND value IS NOT NULL
GROUP BY metric, day
ORDER BY metric, day
