-- What the recorded calls of one run had answered.
SELECT p.trace_id, p.span_id, any_value(p.completion) AS completion
FROM span_payloads p SEMI JOIN (SELECT DISTINCT trace_id, span_id FROM replays WHERE run = $run) USING (trace_id, span_id)
GROUP BY p.trace_id, p.span_id
ORDER BY p.trace_id, p.span_id
