-- A seeded sample of stored texts that strangers wrote: titles, messages of tests, attributes of the newest hour of
-- spans, and what was said where it is kept.
SELECT place, value
FROM (
  SELECT 'work_items.title' AS place, title AS value FROM work_items WHERE title IS NOT NULL
  UNION ALL SELECT 'test_cases.message' AS place, message AS value FROM test_cases WHERE message IS NOT NULL
  UNION ALL SELECT 'spans.attributes' AS place, attributes AS value FROM spans
    WHERE attributes IS NOT NULL AND start >= (SELECT max(hour) FROM llm_hourly)
  UNION ALL SELECT 'span_payloads.prompt' AS place, prompt AS value FROM span_payloads WHERE prompt IS NOT NULL
  UNION ALL SELECT 'span_payloads.completion' AS place, completion AS value FROM span_payloads WHERE completion IS NOT NULL
)
ORDER BY hash(value, $sample_seed), place, value
LIMIT $texts
