-- Model calls of one trace, with what was said in them where it is kept.
SELECT s.source, s.trace_id, s.span_id, s.name, s.provider, s.model, s.input_tokens, s.output_tokens,
  CAST(s.cost_usd AS DOUBLE) AS cost_usd, s.duration_s, s.prompt_name, s.prompt_version, s.attributes, p.prompt, p.completion
FROM spans s
LEFT JOIN (
  SELECT source, span_id, prompt, completion FROM span_payloads
  WHERE trace_id = $trace AND start >= $first::TIMESTAMP AND start <= $last::TIMESTAMP
) p ON p.source = s.source AND p.span_id = s.span_id
WHERE s.trace_id = $trace AND s.source = $source AND s.start >= $first::TIMESTAMP AND s.start <= $last::TIMESTAMP
  AND s.cost_status IS NOT NULL AND coalesce(s.operation, '') NOT IN ('embeddings', 'embedding')
ORDER BY s.start, s.span_id
