SELECT CAST(CAST(start AS DATE) AS TIMESTAMP) AS day, count(*) FILTER (WHERE outcome = 'success') AS k, count(*) AS n
FROM tasks
WHERE start >= $before AND start < $until AND outcome IS NOT NULL AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY CAST(start AS DATE)
ORDER BY ALL
