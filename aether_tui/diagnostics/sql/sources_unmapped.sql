-- Words of sources that no mapping knows, most used first: states without a category, types and environments that are `other`.
SELECT kind, word, n
FROM (
  SELECT 'state' AS kind, state AS word, count(*) AS n FROM work_items WHERE category IS NULL AND state IS NOT NULL GROUP BY ALL
  UNION ALL
  SELECT 'type', source_type, count(*) FROM work_items WHERE type = 'other' GROUP BY ALL
  UNION ALL
  SELECT 'environment', source_environment, count(*) FROM deployments
  WHERE environment = 'other' AND source_environment IS NOT NULL GROUP BY ALL
)
ORDER BY n DESC, kind, word
