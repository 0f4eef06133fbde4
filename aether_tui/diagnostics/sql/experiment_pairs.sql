-- Shadow mode: the same request answered by both arms, as the difference of treatment and control per request. A task's request
-- is the first of its calls: what later ones ask depends on what was answered.
WITH said AS (
  SELECT source, trace_id, span_id, start, request_hash, list_filter(
      list_transform($attributes::VARCHAR[], lambda a: json_extract_string(attributes, '$."' || a || '"')),
      lambda v: v IS NOT NULL)[1] AS arm
  FROM spans WHERE start >= $from_at AND start < $to_at
), arms AS (
  SELECT source, trace_id, min(arm) AS arm, arg_min(request_hash, (start, span_id)) AS request FROM said
  GROUP BY 1, 2 HAVING count(DISTINCT arm) = 1 AND min(arm) IN ($control, $treatment) AND request IS NOT NULL
), sides AS (
  SELECT request, arm, avg(CASE outcome WHEN 'success' THEN 1.0 WHEN 'failure' THEN 0.0 END) AS success,
    avg(CASE status WHEN 'error' THEN 1.0 ELSE 0.0 END) AS errors,
    avg(cost_usd) FILTER (WHERE unpriced_calls = 0) AS cost, avg(duration_s ORDER BY duration_s) AS latency, avg(tokens) AS tokens
  FROM arms JOIN tasks USING (source, trace_id)
  WHERE ($of_feature = '' OR feature = $of_feature) AND ($of_cluster = '' OR task_cluster = $of_cluster)
    AND ($of_environment = '' OR environment = $of_environment)
  GROUP BY 1, 2
), differences AS (
  SELECT t.success - c.success AS success, t.errors - c.errors AS errors, t.cost - c.cost AS cost,
    t.latency - c.latency AS latency, t.tokens - c.tokens AS tokens
  FROM sides AS c JOIN sides AS t USING (request)
  WHERE c.arm = $control AND t.arm = $treatment
)
SELECT count(success) AS n_success, avg(success ORDER BY success) AS mean_success, stddev_samp(success ORDER BY success) AS sd_success,
  count(errors) AS n_errors, avg(errors ORDER BY errors) AS mean_errors, stddev_samp(errors ORDER BY errors) AS sd_errors,
  count(cost) AS n_cost, avg(cost ORDER BY cost) AS mean_cost, stddev_samp(cost ORDER BY cost) AS sd_cost,
  count(latency) AS n_latency, avg(latency ORDER BY latency) AS mean_latency, stddev_samp(latency ORDER BY latency) AS sd_latency,
  count(tokens) AS n_tokens, avg(tokens ORDER BY tokens) AS mean_tokens, stddev_samp(tokens ORDER BY tokens) AS sd_tokens
FROM differences
