-- Scores of one trace, in the order they were given.
SELECT name, value, kind, outcome, span_id, "at"
FROM outcomes
WHERE trace_id = $trace
ORDER BY "at", name, id
LIMIT 50
