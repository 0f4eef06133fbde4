-- What the tasks of a scenario consist of, by prompt and model: the last seven days, and the four weeks before them.
WITH recent AS (
  SELECT coalesce(scenario, feature) AS scenario, start >= $recent AS now, source, trace_id
  FROM tasks
  WHERE start >= $since_day AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
), counted AS (SELECT scenario, now, count(*) AS tasks FROM recent GROUP BY 1, 2)
SELECT r.scenario, r.now, coalesce(s.prompt_name || ' ' || coalesce(s.prompt_version, ''), s.name) AS name, s.model,
  sum(s.cost_usd) / any_value(c.tasks) AS cost, sum(s.duration_s ORDER BY s.duration_s) / any_value(c.tasks) AS latency,
  sum(coalesce(s.input_tokens, 0) + coalesce(s.output_tokens, 0)) / any_value(c.tasks) AS tokens
FROM recent AS r
JOIN counted AS c ON c.scenario IS NOT DISTINCT FROM r.scenario AND c.now = r.now
JOIN spans AS s ON s.source = r.source AND s.trace_id = r.trace_id
WHERE s.start >= $since_day AND s.start < $until AND s.model IS NOT NULL
  AND (s.input_tokens IS NOT NULL OR s.output_tokens IS NOT NULL)
GROUP BY 1, 2, 3, 4
ORDER BY 1, 2, 3, 4
