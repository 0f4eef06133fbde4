-- The lifecycle of features and opportunities in one pass, as one row of lists: `stays` (of entries in the year before the window's
-- end, in the stages before the last: days, rounded up by under 1 %, how they ended, how many), `held` (item-days of the window by
-- stage, and how many are there at its end), `open` (open stays with their age, at most 200 a stage, and how many), `cohorts` (by
-- month of entry: how many, and how many had reached each stage or a later one), `flags` (of items that entered in the year: killed
-- in or after build with the days they had taken; those released and measured before $grace and not cancelled since, and of them those
-- not measured and not decided by the window's end; stages skipped).
-- A stay ends with the first entry into a later stage, or when the item is cancelled; going back does not end it. `at1` to `at7` are
-- the entries before the window's end, `by2` to `by7` when it had first reached that stage or a later one.
WITH times AS (
  SELECT rowid AS place, source, id, category, cancelled, ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at,
    least(ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at) AS first,
    greatest(ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at) AS last
  FROM flow_items
  WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
items AS MATERIALIZED (
  SELECT *, least(at2, at3, at4, at5, at6, at7) AS by2, least(at3, at4, at5, at6, at7) AS by3, least(at4, at5, at6, at7) AS by4,
    least(at5, at6, at7) AS by5, least(at6, at7) AS by6
  FROM (
    SELECT place, source, id, first, CASE WHEN category = 'cancelled' THEN cancelled END AS killed,
      CASE WHEN ideation_at < $until THEN ideation_at END AS at1, CASE WHEN validation_at < $until THEN validation_at END AS at2,
      CASE WHEN specification_at < $until THEN specification_at END AS at3, CASE WHEN build_at < $until THEN build_at END AS at4,
      CASE WHEN release_at < $until THEN release_at END AS at5, CASE WHEN measure_at < $until THEN measure_at END AS at6,
      CASE WHEN learn_at < $until THEN learn_at END AS at7,
      ideation_at IS NULL AS no1, validation_at IS NULL AS no2, specification_at IS NULL AS no3, build_at IS NULL AS no4,
      release_at IS NULL AS no5, measure_at IS NULL AS no6
    FROM (SELECT *, least($until::TIMESTAMP - INTERVAL 365 DAY, $since::TIMESTAMP) AS bound FROM times WHERE first < $until)
    -- What was learned or cancelled before the year and before the window, and entered nothing since, is no part of anything here.
    WHERE NOT coalesce(learn_at >= last AND learn_at < bound OR category = 'cancelled' AND cancelled < bound AND last < bound, false)
  )
),
entries AS (
  SELECT place, source, id, 1 AS stage, at1 AS entered, killed, least(CASE WHEN at2 >= at1 THEN at2 END,
    CASE WHEN at3 >= at1 THEN at3 END, CASE WHEN at4 >= at1 THEN at4 END, CASE WHEN at5 >= at1 THEN at5 END,
    CASE WHEN at6 >= at1 THEN at6 END, CASE WHEN at7 >= at1 THEN at7 END) AS advanced
  FROM items WHERE at1 IS NOT NULL
  UNION ALL
  SELECT place, source, id, 2 AS stage, at2 AS entered, killed, least(CASE WHEN at3 >= at2 THEN at3 END, CASE WHEN at4 >= at2 THEN at4 END,
    CASE WHEN at5 >= at2 THEN at5 END, CASE WHEN at6 >= at2 THEN at6 END, CASE WHEN at7 >= at2 THEN at7 END) AS advanced
  FROM items WHERE at2 IS NOT NULL
  UNION ALL
  SELECT place, source, id, 3 AS stage, at3 AS entered, killed, least(CASE WHEN at4 >= at3 THEN at4 END, CASE WHEN at5 >= at3 THEN at5 END,
    CASE WHEN at6 >= at3 THEN at6 END, CASE WHEN at7 >= at3 THEN at7 END) AS advanced
  FROM items WHERE at3 IS NOT NULL
  UNION ALL
  SELECT place, source, id, 4 AS stage, at4 AS entered, killed,
    least(CASE WHEN at5 >= at4 THEN at5 END, CASE WHEN at6 >= at4 THEN at6 END, CASE WHEN at7 >= at4 THEN at7 END) AS advanced
  FROM items WHERE at4 IS NOT NULL
  UNION ALL
  SELECT place, source, id, 5 AS stage, at5 AS entered, killed, least(CASE WHEN at6 >= at5 THEN at6 END, CASE WHEN at7 >= at5 THEN at7 END) AS advanced
  FROM items WHERE at5 IS NOT NULL
  UNION ALL
  SELECT place, source, id, 6 AS stage, at6 AS entered, killed, CASE WHEN at7 >= at6 THEN at7 END AS advanced
  FROM items WHERE at6 IS NOT NULL
),
ended AS MATERIALIZED (
  SELECT place, source, id, stage, entered, advanced, stopped, coalesce(advanced, stopped, $until) AS left_at
  FROM (SELECT *, CASE WHEN advanced IS NULL AND killed < $until THEN greatest(killed, entered) END AS stopped FROM entries)
),
stays AS (
  SELECT stage, CASE WHEN days > 0 THEN ceil(days / step) * step ELSE 0 END AS days, cause, count(*) AS n
  FROM (
    SELECT stage, (epoch_us(left_at) - epoch_us(entered)) / 86400e6 AS days, pow(2, floor(log2(nullif(days, 0))) - 7) AS step,
      CASE WHEN advanced IS NOT NULL THEN 'advanced' WHEN stopped IS NOT NULL THEN 'killed' END AS cause
    FROM ended
    WHERE entered >= $until::TIMESTAMP - INTERVAL 365 DAY
  )
  GROUP BY ALL
),
held AS (
  SELECT stage,
    sum(CAST(greatest(epoch_us(left_at) - greatest(epoch_us(entered), epoch_us($since::TIMESTAMP)), 0) AS HUGEINT)) / 86400e6 AS item_days,
    count(*) FILTER (WHERE advanced IS NULL AND stopped IS NULL) AS here
  FROM ended
  GROUP BY stage
),
aged AS MATERIALIZED (
  SELECT place, stage, source, id, (epoch($until::TIMESTAMP) - epoch(entered)) / 86400 AS age_days,
    row_number() OVER (PARTITION BY stage ORDER BY entered, source, id) AS nth
  FROM ended
  WHERE advanced IS NULL AND stopped IS NULL
),
cohorts AS (
  SELECT date_trunc('month', first) AS month, count(*) AS entered, count(*) AS stage1, count(by2) AS stage2, count(by3) AS stage3,
    count(by4) AS stage4, count(by5) AS stage5, count(by6) AS stage6, count(at7) AS stage7
  FROM items
  WHERE first >= date_trunc('month', $until::TIMESTAMP) - INTERVAL 11 MONTH
  GROUP BY month
),
flags AS (
  SELECT count(*) AS entered,
    count(*) FILTER (WHERE dead AND by4 < killed) AS late_kills,
    sum((epoch(killed) - epoch(first)) / 86400 ORDER BY source, id) FILTER (WHERE dead AND by4 < killed) AS late_days,
    count(*) FILTER (WHERE at5 < $grace AND dead IS NOT TRUE) AS released,
    count(*) FILTER (WHERE at5 < $grace AND dead IS NOT TRUE AND by6 IS NULL) AS unmeasured,
    count(*) FILTER (WHERE at6 < $grace AND dead IS NOT TRUE) AS measured,
    count(*) FILTER (WHERE at6 < $grace AND dead IS NOT TRUE AND at7 IS NULL) AS undecided,
    count(by2) AS past1, count(by2) FILTER (WHERE no1) AS skipped1,
    count(by3) AS past2, count(by3) FILTER (WHERE no2) AS skipped2,
    count(by4) AS past3, count(by4) FILTER (WHERE no3) AS skipped3,
    count(by5) AS past4, count(by5) FILTER (WHERE no4) AS skipped4,
    count(by6) AS past5, count(by6) FILTER (WHERE no5) AS skipped5,
    count(at7) AS past6, count(at7) FILTER (WHERE no6) AS skipped6
  FROM (SELECT *, killed < $until AS dead FROM items WHERE first >= $until::TIMESTAMP - INTERVAL 365 DAY)
)
SELECT
  (SELECT list(stays ORDER BY stage, days, cause) FROM stays) AS stays,
  (SELECT list(held ORDER BY stage) FROM held) AS held,
  (SELECT list(struct_pack(stage, source := a.source, id := a.id, key, title, state, age_days) ORDER BY age_days DESC, a.source, a.id)
    FROM aged a JOIN flow_items f ON f.rowid = a.place WHERE nth <= 200) AS open,
  (SELECT list(struct_pack(stage, ages) ORDER BY stage) FROM (SELECT stage, list(age_days) AS ages FROM aged GROUP BY stage)) AS ages,
  (SELECT list(cohorts ORDER BY month) FROM cohorts) AS cohorts,
  (SELECT list(flags) FROM flags) AS flags
