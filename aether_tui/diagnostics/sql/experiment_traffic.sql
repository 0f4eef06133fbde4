-- Tasks of the last 28 whole days that an experiment could have, and its primary metric there.
SELECT count(*) AS n, count(outcome) AS n_success, avg(CASE outcome WHEN 'success' THEN 1.0 WHEN 'failure' THEN 0.0 END) AS success,
  avg(CASE status WHEN 'error' THEN 1.0 ELSE 0.0 END) AS errors,
  avg(cost_usd) FILTER (WHERE unpriced_calls = 0) AS cost,
  stddev_samp(cost_usd::DOUBLE ORDER BY cost_usd) FILTER (WHERE unpriced_calls = 0) AS sd_cost,
  avg(duration_s ORDER BY duration_s) AS latency, stddev_samp(duration_s ORDER BY duration_s) AS sd_latency,
  avg(tokens) AS tokens, stddev_samp(tokens ORDER BY tokens) AS sd_tokens,
  date_diff('day', $from_at::TIMESTAMP, $to_at::TIMESTAMP) AS days
FROM tasks
WHERE start >= $from_at AND start < $to_at
  AND ($of_feature = '' OR feature = $of_feature) AND ($of_cluster = '' OR task_cluster = $of_cluster)
  AND ($of_environment = '' OR environment = $of_environment)
