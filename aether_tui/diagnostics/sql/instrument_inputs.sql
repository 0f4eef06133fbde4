-- Model calls of the given tasks (sample_tasks), per task: whose input is kept, and how: whole, with something redacted, cut.
-- Redaction leaves [kind:12345678], a cut …[cut:12345678]; "omitted" names what is no text.
-- `flat`: messages that were kept as one text, before they were kept as messages; that is not what was sent.
WITH sample AS MATERIALIZED (
  SELECT unnest($sources::VARCHAR[]) AS source, unnest($ids::VARCHAR[]) AS trace_id
), call AS (
  SELECT s.source, s.trace_id, s.span_id
  FROM spans s SEMI JOIN sample USING (source, trace_id)
  WHERE {reach(s.start)} AND s.cost_status IS NOT NULL
), said AS (
  SELECT p.source, p.trace_id, p.span_id, p.prompt
  FROM span_payloads p SEMI JOIN call USING (source, trace_id, span_id)
  WHERE {reach(p.start)} AND p.prompt IS NOT NULL
)
SELECT count(*) AS calls, count(said.prompt) AS kept,
  count(*) FILTER (WHERE regexp_matches(said.prompt, '…\[cut:[0-9a-f]{8}\]|"omitted":\[')) AS cut,
  count(*) FILTER (WHERE regexp_matches(regexp_replace(said.prompt, '…\[cut:[0-9a-f]{8}\]', '', 'g'), '\[[a-z_]+:[0-9a-f]{8}\]')) AS redacted,
  count(*) FILTER (WHERE regexp_matches(said.prompt, '^(system|developer|user|human|assistant|ai|tool): ')) AS flat,
  count(*) FILTER (WHERE said.prompt IS NOT NULL
    AND NOT regexp_matches(said.prompt, '^(system|developer|user|human|assistant|ai|tool): |\[[a-z_]+:[0-9a-f]{8}\]|"omitted":\[')) AS whole
FROM call LEFT JOIN said USING (source, trace_id, span_id)
GROUP BY call.source, call.trace_id
ORDER BY calls, whole
