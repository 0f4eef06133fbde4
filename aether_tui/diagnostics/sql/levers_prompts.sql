-- Calls of each prompt: the shortest input of all is the most that can be the same every time. Summed by its parts first, so that few
-- names are put together.
WITH parts AS (
  SELECT prompt_name, prompt_version, provider, model, count(*) AS n, min(input_tokens) AS shortest, sum(input_tokens) AS input,
    sum(output_tokens) AS output, count(output_tokens) AS with_output, sum(cached_tokens) AS cached, sum(cost_usd) AS cost
  FROM spans
  WHERE {during(start)} AND start < $until AND model IS NOT NULL AND input_tokens > 0 AND prompt_name IS NOT NULL
    AND ($live::VARCHAR IS NULL OR environment = $live) AND ($feature::VARCHAR IS NULL OR feature = $feature)
  GROUP BY ALL
)
SELECT trim(prompt_name || ' ' || coalesce(prompt_version, '')) AS prompt, provider, model, CAST(sum(n) AS BIGINT) AS n,
  min(shortest) AS shortest, sum(input) / sum(n) AS input, sum(output) / sum(with_output) AS output,
  coalesce(sum(cached), 0) / sum(n) AS cached, sum(cost) AS cost
FROM parts
GROUP BY 1, 2, 3
HAVING sum(n) >= 20
ORDER BY 9 DESC NULLS LAST, 1
