-- Every span of one trace. The rollup knows when it ran, so that only that part of the spans is read.
WITH task AS (
  SELECT source, trace_id, start, duration_s FROM tasks
  WHERE trace_id = $trace AND ($source::VARCHAR IS NULL OR source = $source) ORDER BY start LIMIT 1
)
SELECT s.span_id, s.parent_id, s.name, s.operation, epoch_us(s.start) / 1e6 AS start_s, s.duration_s, s.model,
  s.input_tokens, s.output_tokens, CAST(s.cost_usd AS DOUBLE) AS cost_usd, s.cost_status, s.status, s.error_type,
  s.request_hash, s.source, p.span_id IS NOT NULL AS said
FROM spans s
LEFT JOIN (
  SELECT source, span_id FROM span_payloads WHERE trace_id = $trace
) p ON p.source = s.source AND p.span_id = s.span_id
WHERE s.trace_id = $trace AND s.source = (SELECT source FROM task)
  AND s.start >= (SELECT start FROM task)
  AND s.start <= (SELECT start + to_microseconds(CAST(coalesce(duration_s, 0) * 1e6 AS BIGINT) + 1) FROM task)
ORDER BY s.start, s.span_id
