-- Per item finished in the window that has status history: the time it spent in each category between creation and completion, and
-- how often somebody else than before moved it (null where a mover is not named). A stretch has the category entered at its
-- begin; before the first change, the category that change left.
WITH finished AS (
  SELECT source, id, created, completed, row_number() OVER () AS item
  FROM flow_items
  WHERE completed >= $since AND completed < $until AND transitions > 0 AND type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
steps AS (
  SELECT f.item, f.created, t."at", 0 AS closing, t.from_state, t.from_category, t.to_category,
    CASE WHEN t.from_state IS NOT NULL THEN t.actor END AS actor  -- who created it did not move it
  FROM finished f JOIN work_transitions t ON t.source = f.source AND t.item_id = f.id AND t."at" <= f.completed
  UNION ALL
  SELECT item, created, completed, 1, NULL, NULL, NULL, NULL FROM finished
),
placed AS (
  SELECT item, closing, from_state, actor, from_category, "at", created,
    lag("at") OVER steps_of AS since, lag(to_category) OVER steps_of AS entered, lag(actor) OVER steps_of AS before
  FROM steps
  WINDOW steps_of AS (PARTITION BY item ORDER BY "at", closing, from_state NULLS FIRST)
),
stretches AS (
  SELECT item, closing, from_state, actor, before, greatest(epoch("at") - epoch(coalesce(since, created)), 0) AS s,
    CASE WHEN since IS NULL THEN from_category ELSE entered END AS category
  FROM placed
)
SELECT coalesce(sum(s) FILTER (WHERE category = 'active'), 0) AS active_s,
  coalesce(sum(s) FILTER (WHERE category = 'wait'), 0) AS wait_s,
  coalesce(sum(s) FILTER (WHERE category = 'queue'), 0) AS queue_s,
  coalesce(sum(s) FILTER (WHERE category IS NULL), 0) AS unmapped_s,
  CASE WHEN bool_and(actor IS NOT NULL) FILTER (WHERE closing = 0 AND from_state IS NOT NULL)
    THEN count(*) FILTER (WHERE closing = 0 AND before IS NOT NULL AND actor <> before) END AS handoffs
FROM stretches
GROUP BY item
ORDER BY ALL
