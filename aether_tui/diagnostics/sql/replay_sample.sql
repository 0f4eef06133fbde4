-- A repeatable sample of model calls whose input is kept: one of each trace, so that they are independent of each other.
WITH kept AS (
  SELECT source, trace_id, span_id,
    regexp_matches(prompt, '\[[a-z_]+:[0-9a-f]{8}\]') AS changed
  FROM span_payloads
  WHERE prompt IS NOT NULL AND start >= $since AND start < $until
), call AS (
  SELECT s.source, s.trace_id, s.span_id, s.start, s.name, s.provider, s.model, s.input_tokens, s.output_tokens, s.cost_usd,
    s.duration_s, s.prompt_name, s.prompt_version, s.attributes, md5($seed || s.trace_id || s.span_id) AS drawn
  FROM spans s JOIN kept USING (source, trace_id, span_id)
  WHERE s.start >= $since AND s.start < $until AND s.cost_status IS NOT NULL AND ($redacted OR NOT kept.changed)
    AND coalesce(s.operation, '') NOT IN ('embeddings', 'embedding') AND coalesce(s.status, '') <> 'error'
    AND ($recorded::VARCHAR IS NULL OR s.model = $recorded)
    AND ($team::VARCHAR IS NULL OR s.team = $team) AND ($service::VARCHAR IS NULL OR s.service = $service)
    AND ($feature::VARCHAR IS NULL OR s.feature = $feature) AND ($environment::VARCHAR IS NULL OR s.environment = $environment)
  QUALIFY row_number() OVER (PARTITION BY s.source, s.trace_id ORDER BY drawn) = 1
), sample AS (
  FROM call ORDER BY drawn LIMIT $n
)
SELECT s.source, s.trace_id, s.span_id, s.name, s.provider, s.model, s.input_tokens, s.output_tokens,
  CAST(s.cost_usd AS DOUBLE) AS cost_usd, s.duration_s, s.prompt_name, s.prompt_version, s.attributes, p.prompt, p.completion
FROM sample s JOIN span_payloads p ON p.source = s.source AND p.trace_id = s.trace_id AND p.span_id = s.span_id
WHERE p.start >= $since AND p.start < $until
ORDER BY s.drawn
