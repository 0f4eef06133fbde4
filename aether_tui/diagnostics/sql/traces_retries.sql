-- Retries in each of the given tasks. A retry follows a failed span of the same name and parent.
SELECT source, trace_id, count(*) AS retries
FROM (
  SELECT source, trace_id,
    lag(status) OVER (PARTITION BY source, trace_id, parent_id, name ORDER BY start, span_id) AS before
  FROM spans
  WHERE {reach(start)} AND trace_id IN (SELECT unnest($ids::VARCHAR[]))
)
WHERE before = 'error'
GROUP BY source, trace_id
ORDER BY ALL
