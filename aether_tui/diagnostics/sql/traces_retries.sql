-- Retries in each of the given tasks. A retry follows a failed span of the same name and parent: each of those that failed but the last.
SELECT source, trace_id, CAST(sum(followed) AS BIGINT) AS retries
FROM (
  SELECT source, trace_id,
    count(*) FILTER (status = 'error') - CAST(arg_max(coalesce(status, '') = 'error', (start, span_id)) AS BIGINT) AS followed
  FROM spans
  WHERE {reach(start)} AND trace_id IN (SELECT unnest($ids::VARCHAR[]))
  GROUP BY source, trace_id, parent_id, name
)
GROUP BY source, trace_id
HAVING sum(followed) > 0
ORDER BY ALL
