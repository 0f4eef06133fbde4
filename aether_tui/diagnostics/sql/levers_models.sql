-- Request categories and the models that answer them.
SELECT t.task_cluster AS cluster, s.model, count(DISTINCT s.trace_id) AS n, sum(s.cost_usd) AS cost,
  sum(s.input_tokens + s.output_tokens) FILTER (WHERE s.cost_usd IS NOT NULL) AS tokens,
  count(DISTINCT s.trace_id) FILTER (WHERE t.outcome = 'success') AS succeeded,
  count(DISTINCT s.trace_id) FILTER (WHERE t.outcome IS NOT NULL) AS told
FROM tasks AS t JOIN spans AS s ON s.source = t.source AND s.trace_id = t.trace_id
WHERE {during(t.start)} AND t.start < $until AND {reach(s.start)} AND s.model IS NOT NULL AND s.cost_usd > 0
  AND ($live::VARCHAR IS NULL OR t.environment = $live) AND ($feature::VARCHAR IS NULL OR t.feature = $feature)
GROUP BY 1, 2
ORDER BY 4 DESC, 1, 2
