-- A seeded sample of stored texts that strangers wrote: titles, messages of tests, attributes of the newest hour of spans.
SELECT place, value
FROM (
  SELECT 'work_items.title' AS place, title AS value FROM work_items WHERE title IS NOT NULL
  UNION ALL SELECT 'test_cases.message' AS place, message AS value FROM test_cases WHERE message IS NOT NULL
  UNION ALL SELECT 'spans.attributes' AS place, attributes AS value FROM spans
    WHERE attributes IS NOT NULL AND start >= (SELECT max(hour) FROM llm_hourly)
)
ORDER BY hash(value, $sample_seed), place, value
LIMIT $texts
