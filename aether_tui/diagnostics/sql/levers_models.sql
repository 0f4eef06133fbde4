-- Request categories and the models that answer them; calls that say nothing of their tokens have no price per token, and those
-- that embed or rank answer nothing.
WITH answered AS (
  SELECT source, trace_id, model, sum(cost_usd) AS cost, sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) AS tokens
  FROM spans
  WHERE {reach(start)} AND model IS NOT NULL AND cost_usd > 0 AND coalesce(input_tokens, output_tokens) IS NOT NULL
    AND lower(coalesce(operation, '')) NOT IN ('embeddings', 'embedding', 'reranker')
  GROUP BY ALL
)
SELECT t.task_cluster AS cluster, a.model, count(*) AS n, sum(cost) AS cost, sum(a.tokens) AS tokens,
  count(*) FILTER (WHERE t.outcome = 'success') AS succeeded, count(t.outcome) AS told
FROM tasks AS t JOIN answered AS a ON a.source = t.source AND a.trace_id = t.trace_id
WHERE {during(t.start)} AND t.start < $until
  AND ($live::VARCHAR IS NULL OR t.environment = $live) AND ($feature::VARCHAR IS NULL OR t.feature = $feature)
GROUP BY 1, 2
ORDER BY 4 DESC, 1, 2
