-- Requests of the window whose category is least certain: nearly between two, or far from all.
WITH said AS (
  SELECT source, trace_id, arg_min(request, start) AS request FROM spans
  WHERE start >= $since AND start < $until AND request IS NOT NULL
  GROUP BY 1, 2
)
SELECT t.trace_id, split_part(s.request, ' ', 1) AS category, split_part(s.request, ' ', 3) AS certainty,
  TRY_CAST(split_part(s.request, ' ', 2) AS DOUBLE) AS margin, t.feature, t.start
FROM tasks AS t JOIN said AS s USING (source, trace_id)
WHERE t.start >= $since AND t.start < $until AND NOT contains(s.request, ' sure ')
  AND ($live::VARCHAR IS NULL OR t.environment = $live)
  AND ($team::VARCHAR IS NULL OR t.team = $team) AND ($service::VARCHAR IS NULL OR t.service = $service)
  AND ($feature::VARCHAR IS NULL OR t.feature = $feature)
ORDER BY margin, t.trace_id
LIMIT 30
