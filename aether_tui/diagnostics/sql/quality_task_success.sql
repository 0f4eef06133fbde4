-- `sum` of a condition rather than `count` with a filter: half the time over many rows.
SELECT CAST(CAST(start AS DATE) AS TIMESTAMP) AS day, sum(CAST(outcome = 'success' AS INTEGER)) AS k, count(outcome) AS n
FROM tasks
WHERE start >= $before AND start < $until AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY CAST(start AS DATE)
HAVING count(outcome) > 0
ORDER BY day
