-- What goes wrong in the pipeline, of items that entered it in the year before the window's end: killed in or after build with the
-- days they had taken, released but not measured, measured but not decided ($grace days after), and stages that were skipped.
WITH items AS (
  SELECT source, id, key, title, state, [ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at] AS entries,
    CASE WHEN category = 'cancelled' THEN cancelled END AS killed
  FROM flow_items
  WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
began AS (
  SELECT *, list_min(list_filter(entries, lambda entry: entry < $until)) AS first,
    killed < $until AS dead
  FROM items
  WHERE list_min(entries) >= $until::TIMESTAMP - INTERVAL 365 DAY
)
SELECT count(*) AS entered,
  count(*) FILTER (WHERE dead AND list_min(entries[4:]) < killed) AS late_kills,
  sum(epoch_us(killed) - epoch_us(first)) FILTER (WHERE dead AND list_min(entries[4:]) < killed) / 86400e6 AS late_days,
  count(*) FILTER (WHERE entries[5] < $until) AS released,
  count(*) FILTER (WHERE entries[5] < $grace AND list_min(entries[6:]) IS NULL AND dead IS NOT TRUE) AS unmeasured,
  count(*) FILTER (WHERE entries[6] < $until) AS measured,
  count(*) FILTER (WHERE entries[6] < $grace AND entries[7] IS NULL AND dead IS NOT TRUE) AS undecided,
  count(*) FILTER (WHERE list_min(entries[2:]) < $until) AS past1,
  count(*) FILTER (WHERE list_min(entries[2:]) < $until AND entries[1] IS NULL) AS skipped1,
  count(*) FILTER (WHERE list_min(entries[3:]) < $until) AS past2,
  count(*) FILTER (WHERE list_min(entries[3:]) < $until AND entries[2] IS NULL) AS skipped2,
  count(*) FILTER (WHERE list_min(entries[4:]) < $until) AS past3,
  count(*) FILTER (WHERE list_min(entries[4:]) < $until AND entries[3] IS NULL) AS skipped3,
  count(*) FILTER (WHERE list_min(entries[5:]) < $until) AS past4,
  count(*) FILTER (WHERE list_min(entries[5:]) < $until AND entries[4] IS NULL) AS skipped4,
  count(*) FILTER (WHERE list_min(entries[6:]) < $until) AS past5,
  count(*) FILTER (WHERE list_min(entries[6:]) < $until AND entries[5] IS NULL) AS skipped5,
  count(*) FILTER (WHERE list_min(entries[7:]) < $until) AS past6,
  count(*) FILTER (WHERE list_min(entries[7:]) < $until AND entries[6] IS NULL) AS skipped6
FROM began
