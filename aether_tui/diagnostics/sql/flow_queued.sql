-- Accepted and not started at the end of a window that lies in the past: in a queue after the last change of state before it, where a
-- tracker keeps them, else now. (What is so now, `flow_load` counts.)
WITH items AS (
  SELECT source, id, category, transitions
  FROM flow_items
  WHERE type IS DISTINCT FROM 'incident' AND created < $until AND (started IS NULL OR started >= $until)
    AND (coalesce(completed, cancelled) IS NULL OR coalesce(completed, cancelled) >= $until)
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
state AS (
  SELECT t.source, t.item_id, arg_max({'category': t.to_category}, (t."at", t.to_state)) AS last
  FROM work_transitions t SEMI JOIN items ON items.source = t.source AND items.id = t.item_id
  WHERE t."at" < $until
  GROUP BY ALL
)
SELECT count(*) FILTER (WHERE CASE WHEN transitions = 0 THEN category ELSE last.category END = 'queue') AS queued
FROM items LEFT JOIN state ON state.source = items.source AND state.item_id = items.id
ORDER BY ALL
