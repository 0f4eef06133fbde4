-- Steps of work items finished or cancelled in the window: a step is a stay in a state that the mapping calls active, its wait the
-- stays in queue and wait states since the last step. Back: the next step is a state the item had been in before.
WITH finished AS (
  SELECT source, id, created, coalesce(completed, cancelled) AS ended, completed IS NULL AS lost
  FROM flow_items
  WHERE coalesce(completed, cancelled) >= $since AND coalesce(completed, cancelled) < $until AND transitions > 0
    AND type IS DISTINCT FROM 'incident' AND ($team::VARCHAR IS NULL OR team = $team) AND ($feature::VARCHAR IS NULL OR feature = $feature)
), stay AS (
  SELECT f.source, f.id, f.lost, t."at" AS begun, t.to_state AS state, t.to_category AS category,
    greatest(epoch_us(coalesce(lead(t."at") OVER (PARTITION BY f.source, f.id ORDER BY t."at", t.to_state), f.ended)) - epoch_us(t."at"), 0) AS us
  FROM finished f JOIN work_transitions t ON t.source = f.source AND t.item_id = f.id AND t."at" <= f.ended
), waited AS (
  SELECT *, sum(CASE WHEN category IN ('queue', 'wait') THEN us ELSE 0 END) OVER (PARTITION BY source, id ORDER BY begun, state) AS so_far
  FROM stay
), step AS (
  SELECT *, so_far - coalesce(lag(so_far) OVER along, 0) AS wait_us, row_number() OVER along AS place, lead(state) OVER along AS next_state
  FROM waited WHERE category = 'active' AND state IS NOT NULL
  WINDOW along AS (PARTITION BY source, id ORDER BY begun, state)
), looked AS (
  SELECT s.*, next_state IS NOT NULL AND EXISTS (
    FROM step b WHERE b.source = s.source AND b.id = s.id AND b.state = s.next_state AND b.place <= s.place AND b.state <> s.state
  ) AS back
  FROM step s
)
SELECT state AS step, count(*) AS visits, count(*) FILTER (WHERE back) AS errors, mode(next_state ORDER BY next_state) FILTER (WHERE back) AS back_to,
  count(*) FILTER (WHERE lost AND next_state IS NULL) AS lost, sum(place) AS places, sum(us) / 1e6 AS touch_s, sum(wait_us) / 1e6 AS wait_s,
  (SELECT count(*) FROM finished) AS n, (SELECT count(*) FROM finished WHERE lost) AS failed,
  (SELECT sum(epoch_us(ended) - epoch_us(created)) / 1e6 FROM finished) AS duration_s
FROM looked
GROUP BY state
ORDER BY state
