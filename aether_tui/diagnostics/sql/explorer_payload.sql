-- What was said in one span.
SELECT prompt, completion, redactions FROM span_payloads
WHERE trace_id = $trace AND span_id = $span AND ($source::VARCHAR IS NULL OR source = $source)
LIMIT 1
