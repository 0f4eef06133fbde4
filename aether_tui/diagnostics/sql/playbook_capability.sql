-- How each model does with each request category: a task belongs to the model that most of its money went to.
WITH spent AS (
  SELECT source, trace_id, model, sum(cost_usd) AS usd FROM spans
  WHERE {reach(start)} AND model IS NOT NULL AND cost_usd IS NOT NULL
  GROUP BY ALL
), chosen AS (SELECT source, trace_id, arg_max(model, (usd, model)) AS main_model FROM spent GROUP BY 1, 2)
SELECT task_cluster AS cluster, main_model AS model, count(*) AS n, count(outcome) AS n_outcome,
  count(*) FILTER (WHERE outcome = 'success') AS successes,
  (sum(cost_usd) FILTER (WHERE unpriced_calls = 0))::DOUBLE / nullif(count(cost_usd) FILTER (WHERE unpriced_calls = 0), 0) AS cost_usd,
  quantile_disc(duration_s, 0.95) AS p95_s
FROM chosen JOIN tasks USING (source, trace_id)
WHERE {during(start)} AND start < $until AND task_cluster IS NOT NULL AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY 1, 2
ORDER BY 1, 3 DESC, 2
