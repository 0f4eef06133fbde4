-- Items by the month in which they entered the pipeline (a year of months), and how many had reached each stage or a later one.
WITH items AS (
  SELECT source, id, key, title, state, [ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at] AS entries,
    CASE WHEN category = 'cancelled' THEN cancelled END AS killed
  FROM flow_items
  WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
began AS (
  SELECT *, list_min(list_filter(entries, lambda entry: entry < $until)) AS first FROM items
)
SELECT date_trunc('month', first) AS month, count(*) AS entered,
  count(*) FILTER (WHERE list_min(entries[1:]) < $until) AS stage1,
  count(*) FILTER (WHERE list_min(entries[2:]) < $until) AS stage2,
  count(*) FILTER (WHERE list_min(entries[3:]) < $until) AS stage3,
  count(*) FILTER (WHERE list_min(entries[4:]) < $until) AS stage4,
  count(*) FILTER (WHERE list_min(entries[5:]) < $until) AS stage5,
  count(*) FILTER (WHERE list_min(entries[6:]) < $until) AS stage6,
  count(*) FILTER (WHERE list_min(entries[7:]) < $until) AS stage7
FROM began
WHERE first >= date_trunc('month', $until::TIMESTAMP) - INTERVAL 11 MONTH
GROUP BY month
ORDER BY month
