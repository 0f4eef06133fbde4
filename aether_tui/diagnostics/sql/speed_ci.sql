-- Durations of runs in whole seconds, by day (cut): `n` of each `x`.
WITH counted AS (
  SELECT {cut(created)} AS day, round(coalesce(wall_s, run_s)) AS x, count(*) AS n
  FROM pipeline_runs
  WHERE created >= $before AND created < $until AND result IN ('success', 'failure', 'timed_out')
    AND coalesce(wall_s, run_s) >= 0
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR service = $service)
  GROUP BY day, x
)
SELECT day, list(x) AS x, list(n) AS n FROM counted GROUP BY day ORDER BY day
