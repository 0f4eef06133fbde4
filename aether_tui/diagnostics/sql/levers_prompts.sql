-- Calls of each prompt: the shortest input of all is the most that can be the same every time.
SELECT trim(prompt_name || ' ' || coalesce(prompt_version, '')) AS prompt, provider, model, count(*) AS n,
  min(input_tokens) AS shortest, avg(input_tokens) AS input, avg(output_tokens) AS output,
  avg(coalesce(cached_tokens, 0)) AS cached, sum(cost_usd) AS cost
FROM spans
WHERE {during(start)} AND start < $until AND model IS NOT NULL AND input_tokens > 0 AND prompt_name IS NOT NULL
  AND ($live::VARCHAR IS NULL OR environment = $live) AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY 1, 2, 3
HAVING count(*) >= 20
ORDER BY 9 DESC NULLS LAST, 1
