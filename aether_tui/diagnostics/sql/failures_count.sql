-- Tasks that ended in failure, and all that say how they ended.
SELECT count(*) FILTER (WHERE outcome = 'failure') AS failed, count(outcome) AS n
FROM tasks
WHERE start >= $since AND start < $until AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
