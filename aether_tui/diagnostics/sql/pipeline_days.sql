-- Item-days that each stage held in the window, and how many items were in it at the window's end.
WITH items AS (
  SELECT source, id, key, title, state, [ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at] AS entries,
    CASE WHEN category = 'cancelled' THEN cancelled END AS killed
  FROM flow_items
  WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
stays AS (
  SELECT i.*, stage, entries[stage] AS entered,
    list_min(list_filter(entries[stage + 1:], lambda later: later >= entries[stage] AND later < $until)) AS advanced
  FROM items AS i, (SELECT unnest([1, 2, 3, 4, 5, 6]) AS stage)
  WHERE entries[stage] < $until
),
ended AS (
  SELECT *, CASE WHEN advanced IS NULL AND killed < $until THEN greatest(killed, entered) END AS stopped FROM stays
)
SELECT stage,
  sum(greatest(epoch_us(coalesce(advanced, stopped, $until::TIMESTAMP)) - greatest(epoch_us(entered), epoch_us($since::TIMESTAMP)), 0)) / 86400e6 AS item_days,
  count(*) FILTER (WHERE advanced IS NULL AND stopped IS NULL) AS here
FROM ended
GROUP BY stage
ORDER BY stage
