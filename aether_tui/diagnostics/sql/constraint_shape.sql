-- Shape of the given tasks (sample_tasks). Growth: input tokens of the last model call over those of the first. Serial share:
-- time in which something ran, over the sum of what ran; 1 is one step after the other. Repeats: calls whose input had been sent
-- before in the same task.
WITH sample AS MATERIALIZED (
  SELECT unnest($sources::VARCHAR[]) AS source, unnest($ids::VARCHAR[]) AS trace_id, unnest(range(len($ids))) AS task
), span AS (
  SELECT task, s.span_id, s.parent_id, s.name, s.request_hash, s.status,
    lower(coalesce(s.operation, '')) IN ('execute_tool', 'tool') AS tool,
    CASE WHEN lower(coalesce(s.operation, '')) NOT IN ('embeddings', 'embedding') THEN s.input_tokens END AS input_tokens,
    epoch_us(s.start) / 1e6 AS begun,
    epoch_us(s.start) / 1e6 + greatest(coalesce(s.duration_s, 0), 0) AS ended
  FROM spans s JOIN sample USING (source, trace_id)
  WHERE {reach(s.start)}
), leaf AS (
  SELECT a.task, a.begun, a.ended,
    max(a.ended) OVER (PARTITION BY a.task ORDER BY a.begun ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM span a ANTI JOIN span b ON b.task = a.task AND b.parent_id = a.span_id
  WHERE a.ended > a.begun
), serial AS (
  SELECT task, CASE WHEN count(*) > 1 THEN sum(greatest(ended - greatest(begun, coalesce(before, begun)), 0)) / sum(ended - begun) END AS serial
  FROM leaf
  GROUP BY task
), counted AS (
  SELECT task, count(*) FILTER (input_tokens > 0) AS told,
    arg_min(input_tokens, (begun, span_id)) FILTER (input_tokens > 0) AS first,
    arg_max(input_tokens, (begun, span_id)) FILTER (input_tokens > 0) AS last,
    count(*) FILTER (tool) AS tools, count(*) FILTER (tool AND status = 'error') AS tool_errors, count(request_hash) AS asked,
    len(list_distinct(list(coalesce(name, '') || chr(31) || request_hash) FILTER (request_hash IS NOT NULL))) AS different
  FROM span
  GROUP BY task
)
SELECT task, serial, CASE WHEN told > 1 THEN last / first END AS growth,
  CASE WHEN told > 1 THEN (last - first) / (told - 1) END AS a_turn, tools, tool_errors, asked, asked - different AS repeats
FROM counted LEFT JOIN serial USING (task)
ORDER BY task
