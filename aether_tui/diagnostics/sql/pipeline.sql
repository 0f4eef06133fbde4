-- The lifecycle of features and opportunities in one pass, as one row of lists: `stays` (of entries in the year before the window's
-- end, in the stages before the last: days by quarters, rounded up, how they ended, how many), `held` (item-days of the window by
-- stage, and how many are there at its end), `open` (open stays with their age, at most 200 a stage, and how many), `cohorts` (by
-- month of entry: how many, and how many had reached each stage or a later one), `flags` (of items that entered in the year: killed
-- in or after build with the days they had taken; those released and measured before $grace and not cancelled since, and of them those
-- not measured and not decided by the window's end; stages skipped).
-- A stay ends with the first entry into a later stage, or when the item is cancelled; going back does not end it.
WITH items AS MATERIALIZED (
  SELECT source, id, key, title, state, ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at,
    CASE WHEN category = 'cancelled' THEN cancelled END AS killed,
    least(ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at) AS first,
    greatest(ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at) AS last,
    -- When it first was in a stage, or a later one.
    least(validation_at, specification_at, build_at, release_at, measure_at, learn_at) AS reached2,
    least(specification_at, build_at, release_at, measure_at, learn_at) AS reached3,
    least(build_at, release_at, measure_at, learn_at) AS reached4,
    least(release_at, measure_at, learn_at) AS reached5,
    least(measure_at, learn_at) AS reached6,
    least($until::TIMESTAMP - INTERVAL 365 DAY, $since::TIMESTAMP) AS bound
  FROM flow_items
  WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND first < $until
    -- What was learned or cancelled before the year and before the window, and entered nothing since, is no part of anything here.
    AND NOT coalesce(learn_at >= last AND learn_at < bound OR category = 'cancelled' AND cancelled < bound AND last < bound, false)
),
entries AS (
  SELECT source, id, 1 AS stage, ideation_at AS entered, killed,
    least(CASE WHEN validation_at >= ideation_at AND validation_at < $until THEN validation_at END,
      CASE WHEN specification_at >= ideation_at AND specification_at < $until THEN specification_at END,
      CASE WHEN build_at >= ideation_at AND build_at < $until THEN build_at END,
      CASE WHEN release_at >= ideation_at AND release_at < $until THEN release_at END,
      CASE WHEN measure_at >= ideation_at AND measure_at < $until THEN measure_at END,
      CASE WHEN learn_at >= ideation_at AND learn_at < $until THEN learn_at END) AS advanced
  FROM items WHERE ideation_at < $until
  UNION ALL
  SELECT source, id, 2 AS stage, validation_at AS entered, killed,
    least(CASE WHEN specification_at >= validation_at AND specification_at < $until THEN specification_at END,
      CASE WHEN build_at >= validation_at AND build_at < $until THEN build_at END,
      CASE WHEN release_at >= validation_at AND release_at < $until THEN release_at END,
      CASE WHEN measure_at >= validation_at AND measure_at < $until THEN measure_at END,
      CASE WHEN learn_at >= validation_at AND learn_at < $until THEN learn_at END) AS advanced
  FROM items WHERE validation_at < $until
  UNION ALL
  SELECT source, id, 3 AS stage, specification_at AS entered, killed,
    least(CASE WHEN build_at >= specification_at AND build_at < $until THEN build_at END,
      CASE WHEN release_at >= specification_at AND release_at < $until THEN release_at END,
      CASE WHEN measure_at >= specification_at AND measure_at < $until THEN measure_at END,
      CASE WHEN learn_at >= specification_at AND learn_at < $until THEN learn_at END) AS advanced
  FROM items WHERE specification_at < $until
  UNION ALL
  SELECT source, id, 4 AS stage, build_at AS entered, killed,
    least(CASE WHEN release_at >= build_at AND release_at < $until THEN release_at END,
      CASE WHEN measure_at >= build_at AND measure_at < $until THEN measure_at END,
      CASE WHEN learn_at >= build_at AND learn_at < $until THEN learn_at END) AS advanced
  FROM items WHERE build_at < $until
  UNION ALL
  SELECT source, id, 5 AS stage, release_at AS entered, killed,
    least(CASE WHEN measure_at >= release_at AND measure_at < $until THEN measure_at END,
      CASE WHEN learn_at >= release_at AND learn_at < $until THEN learn_at END) AS advanced
  FROM items WHERE release_at < $until
  UNION ALL
  SELECT source, id, 6 AS stage, measure_at AS entered, killed,
    CASE WHEN learn_at >= measure_at AND learn_at < $until THEN learn_at END AS advanced
  FROM items WHERE measure_at < $until
),
ended AS MATERIALIZED (
  SELECT *, CASE WHEN advanced IS NULL AND killed < $until THEN greatest(killed, entered) END AS stopped FROM entries
),
stays AS (
  SELECT stage, ceil((epoch(coalesce(advanced, stopped, $until)) - epoch(entered)) / 21600) / 4 AS days,
    CASE WHEN advanced IS NOT NULL THEN 'advanced' WHEN stopped IS NOT NULL THEN 'killed' END AS cause, count(*) AS n
  FROM ended
  WHERE entered >= $until::TIMESTAMP - INTERVAL 365 DAY
  GROUP BY ALL
),
held AS (
  SELECT stage,
    sum(CAST(greatest(epoch_us(coalesce(advanced, stopped, $until)) - greatest(epoch_us(entered), epoch_us($since::TIMESTAMP)),
      0) AS HUGEINT)) / 86400e6
      AS item_days,
    count(*) FILTER (WHERE advanced IS NULL AND stopped IS NULL) AS here
  FROM ended
  GROUP BY stage
),
aged AS (
  SELECT stage, source, id, (epoch($until::TIMESTAMP) - epoch(entered)) / 86400 AS age_days,
    row_number() OVER (PARTITION BY stage ORDER BY entered, source, id) AS place
  FROM ended
  WHERE advanced IS NULL AND stopped IS NULL
),
cohorts AS (
  SELECT date_trunc('month', first) AS month, count(*) AS entered,
    count(*) FILTER (WHERE first < $until) AS stage1,
    count(*) FILTER (WHERE reached2 < $until) AS stage2,
    count(*) FILTER (WHERE reached3 < $until) AS stage3,
    count(*) FILTER (WHERE reached4 < $until) AS stage4,
    count(*) FILTER (WHERE reached5 < $until) AS stage5,
    count(*) FILTER (WHERE reached6 < $until) AS stage6,
    count(*) FILTER (WHERE learn_at < $until) AS stage7
  FROM items
  WHERE first >= date_trunc('month', $until::TIMESTAMP) - INTERVAL 11 MONTH
  GROUP BY month
),
flags AS (
  SELECT count(*) AS entered,
    count(*) FILTER (WHERE dead AND reached4 < killed) AS late_kills,
    sum((epoch(killed) - epoch(first)) / 86400 ORDER BY source, id) FILTER (WHERE dead AND reached4 < killed) AS late_days,
    count(*) FILTER (WHERE release_at < $grace AND dead IS NOT TRUE) AS released,
    count(*) FILTER (WHERE release_at < $grace AND dead IS NOT TRUE AND coalesce(reached6 >= $until, true)) AS unmeasured,
    count(*) FILTER (WHERE measure_at < $grace AND dead IS NOT TRUE) AS measured,
    count(*) FILTER (WHERE measure_at < $grace AND dead IS NOT TRUE AND coalesce(learn_at >= $until, true)) AS undecided,
    count(*) FILTER (WHERE reached2 < $until) AS past1,
    count(*) FILTER (WHERE reached2 < $until AND ideation_at IS NULL) AS skipped1,
    count(*) FILTER (WHERE reached3 < $until) AS past2,
    count(*) FILTER (WHERE reached3 < $until AND validation_at IS NULL) AS skipped2,
    count(*) FILTER (WHERE reached4 < $until) AS past3,
    count(*) FILTER (WHERE reached4 < $until AND specification_at IS NULL) AS skipped3,
    count(*) FILTER (WHERE reached5 < $until) AS past4,
    count(*) FILTER (WHERE reached5 < $until AND build_at IS NULL) AS skipped4,
    count(*) FILTER (WHERE reached6 < $until) AS past5,
    count(*) FILTER (WHERE reached6 < $until AND release_at IS NULL) AS skipped5,
    count(*) FILTER (WHERE learn_at < $until) AS past6,
    count(*) FILTER (WHERE learn_at < $until AND measure_at IS NULL) AS skipped6
  FROM (SELECT *, killed < $until AS dead FROM items WHERE first >= $until::TIMESTAMP - INTERVAL 365 DAY)
)
SELECT
  (SELECT list(stays ORDER BY stage, days, cause) FROM stays) AS stays,
  (SELECT list(held ORDER BY stage) FROM held) AS held,
  (SELECT list(struct_pack(stage, source, id, key, title, state, age_days) ORDER BY age_days DESC, source, id)
    FROM aged JOIN items USING (source, id) WHERE place <= 200) AS open,
  (SELECT list(struct_pack(stage, ages) ORDER BY stage) FROM (SELECT stage, list(age_days) AS ages FROM aged GROUP BY stage)) AS ages,
  (SELECT list(cohorts ORDER BY month) FROM cohorts) AS cohorts,
  (SELECT list(flags) FROM flags) AS flags
