-- Shape of a repeatable sample of tasks. Growth: input tokens of the last model call over those of the first. Serial share:
-- time in which something ran, over the sum of what ran; 1 is one step after the other. Repeats: calls whose input had been sent
-- before in the same task. `of` is what a value is counted among.
WITH sample AS (
  SELECT source, trace_id, calls + tool_calls AS steps
  FROM tasks
  WHERE {during(start)} AND start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
  ORDER BY md5(trace_id), source
  LIMIT $sample
), span AS (
  SELECT s.source, s.trace_id, s.span_id, s.parent_id, s.name, s.request_hash, s.status,
    lower(coalesce(s.operation, '')) IN ('execute_tool', 'tool') AS tool,
    CASE WHEN lower(coalesce(s.operation, '')) NOT IN ('embeddings', 'embedding') THEN s.input_tokens END AS input_tokens,
    epoch_us(s.start) / 1e6 AS begun,
    epoch_us(s.start) / 1e6 + greatest(coalesce(s.duration_s, 0), 0) AS ended
  FROM spans s SEMI JOIN sample USING (source, trace_id)
  WHERE {reach(s.start)}
), leaf AS (
  SELECT a.source, a.trace_id, a.begun, a.ended,
    max(a.ended) OVER (
      PARTITION BY a.source, a.trace_id ORDER BY a.begun, a.span_id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS before
  FROM span a ANTI JOIN span b ON b.source = a.source AND b.trace_id = a.trace_id AND b.parent_id = a.span_id
  WHERE a.ended > a.begun
), serial AS (
  SELECT source, trace_id, sum(greatest(ended - greatest(begun, coalesce(before, begun)), 0)) / sum(ended - begun) AS share
  FROM leaf
  GROUP BY source, trace_id
  HAVING count(*) > 1
), growth AS (
  SELECT source, trace_id, arg_max(input_tokens, (begun, span_id)) / arg_min(input_tokens, (begun, span_id)) AS ratio,
    (arg_max(input_tokens, (begun, span_id)) - arg_min(input_tokens, (begun, span_id))) / (count(*) - 1) AS a_turn
  FROM span
  WHERE input_tokens > 0
  GROUP BY source, trace_id
  HAVING count(*) > 1
)
SELECT 'serial' AS name, share AS value, 1 AS of, trace_id FROM serial
UNION ALL
SELECT 'growth', ratio, 1, trace_id FROM growth
UNION ALL
SELECT 'a_turn', a_turn, 1, trace_id FROM growth
UNION ALL
SELECT 'steps', steps, 1, trace_id FROM sample
UNION ALL
SELECT 'tool_errors', count(*) FILTER (WHERE status = 'error'), count(*), trace_id FROM span WHERE tool GROUP BY source, trace_id
UNION ALL
SELECT 'repeats', CAST(sum(n) - count(*) AS BIGINT), CAST(sum(n) AS BIGINT), trace_id
FROM (SELECT source, trace_id, count(*) AS n FROM span WHERE request_hash IS NOT NULL GROUP BY source, trace_id, name, request_hash)
GROUP BY source, trace_id
ORDER BY name, value, trace_id
