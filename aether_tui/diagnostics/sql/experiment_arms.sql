-- One row per arm of an experiment: tasks whose spans carry its value, and what became of them. A task seen in two arms counts
-- in none. An outcome is known or not; cost counts only where every call has a price.
WITH said AS (
  SELECT source, trace_id, list_filter(
      list_transform($attributes::VARCHAR[], lambda a: json_extract_string(attributes, '$."' || a || '"')),
      lambda v: v IS NOT NULL)[1] AS arm
  FROM spans WHERE start >= $from_at AND start < $to_at AND attributes IS NOT NULL
), arms AS (
  SELECT source, trace_id, min(arm) AS arm FROM said
  GROUP BY 1, 2 HAVING count(DISTINCT arm) = 1 AND min(arm) IN ($control, $treatment)
)
SELECT arm, count(*) AS n, count(outcome) AS n_outcome, count(*) FILTER (WHERE outcome = 'success') AS successes,
  count(*) FILTER (WHERE status = 'error') AS errors,
  count(cost_usd) FILTER (WHERE unpriced_calls = 0) AS n_cost,
  avg(cost_usd) FILTER (WHERE unpriced_calls = 0) AS mean_cost,
  stddev_samp(cost_usd::DOUBLE ORDER BY cost_usd) FILTER (WHERE unpriced_calls = 0) AS sd_cost,
  count(duration_s) AS n_latency, avg(duration_s ORDER BY duration_s) AS mean_latency,
  stddev_samp(duration_s ORDER BY duration_s) AS sd_latency,
  count(tokens) AS n_tokens, avg(tokens) AS mean_tokens, stddev_samp(tokens ORDER BY tokens) AS sd_tokens
FROM arms JOIN tasks USING (source, trace_id)
WHERE ($of_feature = '' OR feature = $of_feature) AND ($of_cluster = '' OR task_cluster = $of_cluster)
  AND ($of_environment = '' OR environment = $of_environment)
GROUP BY 1
ORDER BY 1
