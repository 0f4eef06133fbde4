-- Stays in the stages before the last, of entries in the year before the window's end: days by quarters (rounded up), how they ended, how many. A stay
-- ends with the first entry into a later stage, or when the item is cancelled; going back to an earlier stage does not end it.
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
SELECT stage, ceil((epoch(coalesce(advanced, stopped, $until)) - epoch(entered)) / 21600) / 4 AS days,
  CASE WHEN advanced IS NOT NULL THEN 'advanced' WHEN stopped IS NOT NULL THEN 'killed' END AS cause, count(*) AS n
FROM ended
WHERE entered >= $until::TIMESTAMP - INTERVAL 365 DAY
GROUP BY ALL
ORDER BY ALL
