-- Requests of the window and of the one before, by the category that each was given when it came. Of a trace its first counts.
WITH said AS (
  SELECT source, trace_id, arg_min(request, start) AS request FROM spans
  WHERE start >= $before AND start < $until AND request IS NOT NULL
  GROUP BY 1, 2
)
SELECT t.start >= $since AS now, split_part(s.request, ' ', 1) AS category, split_part(s.request, ' ', 3) AS certainty,
  count(*) AS n, (sum(t.cost_usd))::DOUBLE AS cost_usd, count(t.cost_usd) AS n_cost,
  count(*) FILTER (WHERE t.status = 'error') AS errors, count(t.outcome) AS n_outcome,
  count(*) FILTER (WHERE t.outcome = 'failure') AS failures
FROM tasks AS t LEFT JOIN said AS s USING (source, trace_id)
WHERE t.start >= $before AND t.start < $until AND ($live::VARCHAR IS NULL OR t.environment = $live)
  AND ($team::VARCHAR IS NULL OR t.team = $team) AND ($service::VARCHAR IS NULL OR t.service = $service)
  AND ($feature::VARCHAR IS NULL OR t.feature = $feature)
GROUP BY ALL
ORDER BY 1, 2, 3
