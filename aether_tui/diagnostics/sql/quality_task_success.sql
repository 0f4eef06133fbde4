SELECT day, coalesce(sum(tasks) FILTER (outcome = 'success'), 0) AS k, sum(tasks) AS n
FROM {requests($before, $until)} AS request
WHERE outcome IS NOT NULL AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day
ORDER BY ALL
