-- Tasks with a model call.
SELECT CAST(coalesce(sum(tasks), 0) AS BIGINT) AS n
FROM {requests($since, $until)} AS request
WHERE called AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
