-- Steps of tasks by request category, from the hourly sums; whole days of the window. Seconds are summed exactly, in whatever order.
SELECT task_cluster AS cluster, step, sum(visits) AS visits, sum(errors) AS errors, sum(retried) AS retried, sum(lost) AS lost,
  sum(places) AS places, CAST(sum(TRY_CAST(touch_s_sum AS DECIMAL(24, 6))) AS DOUBLE) AS touch_s,
  CAST(sum(TRY_CAST(wait_s_sum AS DECIMAL(24, 6))) AS DOUBLE) AS wait_s, sum(cost_usd) AS cost_usd, sum(unpriced_visits) AS unpriced
FROM steps_hourly
WHERE hour >= date_trunc('day', $since::TIMESTAMP) AND hour < $until AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY task_cluster, step
ORDER BY task_cluster, step
