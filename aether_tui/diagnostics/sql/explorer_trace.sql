-- Every span of one trace. The rollup knows when it ran, so that only that part of the spans is read.
SELECT s.span_id, s.parent_id, s.name, s.operation, epoch_us(s.start) / 1e6 AS start_s, s.duration_s, s.model,
  s.input_tokens, s.output_tokens, CAST(s.cost_usd AS DOUBLE) AS cost_usd, s.cost_status, s.status, s.error_type,
  s.request_hash, p.span_id IS NOT NULL AS said
FROM spans s
LEFT JOIN (
  SELECT source, span_id FROM span_payloads
  WHERE trace_id = $trace AND start >= $first::TIMESTAMP AND start <= $last::TIMESTAMP
) p ON p.source = s.source AND p.span_id = s.span_id
WHERE s.trace_id = $trace AND s.source = $source AND s.start >= $first::TIMESTAMP AND s.start <= $last::TIMESTAMP
ORDER BY s.start, s.span_id
