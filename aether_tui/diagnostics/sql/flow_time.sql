-- Per item finished in the window that has status history: the time it spent in each category between creation and completion, and
-- how often somebody else than before moved it (null where a mover is not named). A stretch has the category entered at its
-- begin; before the first change, the category that change left.
WITH finished AS (
  SELECT source, id, created, completed
  FROM flow_items
  WHERE completed >= $since AND completed < $until AND transitions > 0 AND type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
steps AS (
  SELECT f.source, f.id, f.created, t."at", 0 AS closing, t.from_state, t.from_category, t.to_category,
    CASE WHEN t.from_state IS NOT NULL THEN t.actor END AS actor  -- who created it did not move it
  FROM finished f JOIN work_transitions t ON t.source = f.source AND t.item_id = f.id AND t."at" <= f.completed
  UNION ALL
  SELECT source, id, created, completed, 1, NULL, NULL, NULL, NULL FROM finished
),
stretches AS (
  SELECT source, id, closing,
    greatest(epoch_us("at") - epoch_us(coalesce(lag("at") OVER steps_of, created)), 0) AS us,
    CASE WHEN lag("at") OVER steps_of IS NULL THEN from_category ELSE lag(to_category) OVER steps_of END AS category,
    actor, from_state,
    lag(actor) OVER steps_of AS before
  FROM steps
  WINDOW steps_of AS (PARTITION BY source, id ORDER BY "at", closing, from_state NULLS FIRST)
)
SELECT coalesce(sum(us) FILTER (WHERE category = 'active'), 0) / 1e6 AS active_s,
  coalesce(sum(us) FILTER (WHERE category = 'wait'), 0) / 1e6 AS wait_s,
  coalesce(sum(us) FILTER (WHERE category = 'queue'), 0) / 1e6 AS queue_s,
  coalesce(sum(us) FILTER (WHERE category IS NULL), 0) / 1e6 AS unmapped_s,
  CASE WHEN bool_and(actor IS NOT NULL) FILTER (WHERE closing = 0 AND from_state IS NOT NULL)
    THEN count(*) FILTER (WHERE closing = 0 AND before IS NOT NULL AND actor <> before) END AS handoffs
FROM stretches
GROUP BY source, id
ORDER BY ALL
