-- Traces of the window behind a number. $mode: `slow` (longest first), `failed` (by outcome), `errors` (with a failed span),
-- `incomplete` (no model or no tokens), `unpriced` (a call without a cost), `uncategorised`, `named` (those of $ids), `unsaid` (no
-- outcome signal), `unattributed` (no feature or no team; dearest first).
SELECT source, trace_id AS id, left(trace_id, 8) AS name, coalesce(feature, 'no feature') || ', ' || coalesce(model, 'no model') AS title,
  CASE WHEN $mode = 'unattributed' THEN CAST(cost_usd AS DOUBLE) ELSE duration_s END AS value, start AS "at", outcome, status, errors, turns, calls,
  tokens, team, feature, model, environment, task_cluster, count(*) OVER () AS of
FROM tasks
WHERE start >= $since AND start < $until AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
  AND CASE $mode
    WHEN 'failed' THEN outcome <> 'success'
    WHEN 'errors' THEN errors > 0
    WHEN 'incomplete' THEN calls > 0 AND (model IS NULL OR input_tokens IS NULL OR output_tokens IS NULL)
    WHEN 'unpriced' THEN unpriced_calls > 0
    WHEN 'uncategorised' THEN task_cluster IS NULL
    WHEN 'named' THEN list_contains($ids::VARCHAR[], trace_id)
    WHEN 'unsaid' THEN outcome IS NULL
    WHEN 'unattributed' THEN (feature IS NULL OR team IS NULL) AND cost_usd > 0
    ELSE duration_s IS NOT NULL
  END
ORDER BY value DESC NULLS LAST, source, id
LIMIT 60
