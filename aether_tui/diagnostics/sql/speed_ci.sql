SELECT date_trunc('day', created) AS day, list(round(coalesce(wall_s, run_s))) AS x
FROM pipeline_runs
WHERE created >= $before AND created < $until AND result IN ('success', 'failure', 'timed_out')
  AND coalesce(wall_s, run_s) IS NOT NULL
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY day
ORDER BY day
