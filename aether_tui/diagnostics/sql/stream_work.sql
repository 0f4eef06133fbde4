-- Steps of work items finished or cancelled in the window: a step is a stay in a state that the mapping calls active, its wait the
-- stays in queue and wait states since the last step. Back: the next step is a state the item had been in before.
WITH finished AS (
  SELECT created, coalesce(completed, cancelled) AS ended, completed IS NULL AS lost, steps
  FROM flow_items
  WHERE coalesce(completed, cancelled) >= $since AND coalesce(completed, cancelled) < $until AND transitions > 0
    AND type IS DISTINCT FROM 'incident' AND ($team::VARCHAR IS NULL OR team = $team) AND ($feature::VARCHAR IS NULL OR feature = $feature)
), step AS (
  SELECT lost, unnest(steps, recursive := true), generate_subscripts(steps, 1) AS place FROM finished
), counted AS (
  SELECT count(*) AS n, count(*) FILTER (WHERE lost) AS failed, sum(epoch_us(ended) - epoch_us(created)) / 1e6 AS duration_s FROM finished
)
SELECT state AS step, count(*) AS visits, count(*) FILTER (WHERE back) AS errors, mode(next_state ORDER BY next_state) FILTER (WHERE back) AS back_to,
  count(*) FILTER (WHERE lost AND next_state IS NULL) AS lost, sum(place) AS places, sum(touch_us) / 1e6 AS touch_s, sum(wait_us) / 1e6 AS wait_s,
  any_value(counted.n) AS n, any_value(counted.failed) AS failed, any_value(counted.duration_s) AS duration_s
FROM step, counted
GROUP BY state
ORDER BY state
