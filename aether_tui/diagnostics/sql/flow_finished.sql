-- Items finished in the window (`now`) and in the one before, as one row: how many, and of those whose source keeps status history
-- (otherwise no reopening is not known to be none) how many were reopened. `times`: lead and cycle times of now, then of before; of
-- each how many, and those around p50 and around p85 in order, from the `place` on that the first of them has among all. A bound of
-- an interval of 95 % lies within the square root of n places: two standard deviations, which are half of that at most.
WITH item AS (
  SELECT completed >= $since AND completed < $until AS now, completed >= $before AND completed < $before_until AS before,
    CASE WHEN created IS NOT NULL THEN greatest(epoch(completed) - epoch(created), 0) END AS lead_s,
    CASE WHEN started IS NOT NULL THEN greatest(epoch(completed) - epoch(started), 0) END AS cycle_s, reopened > 0 AS reopened,
    source IN (SELECT DISTINCT source FROM flow_items WHERE transitions > 0) AS history
  FROM flow_items
  WHERE completed >= least($before::TIMESTAMP, $since::TIMESTAMP) AND completed < $until AND type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
counted AS (
  SELECT count(*) FILTER (WHERE now) AS now_n, count(*) FILTER (WHERE now AND history) AS now_history,
    count(*) FILTER (WHERE now AND history AND reopened) AS now_reopened,
    count(*) FILTER (WHERE before) AS before_n, count(*) FILTER (WHERE before AND history) AS before_history,
    count(*) FILTER (WHERE before AND history AND reopened) AS before_reopened,
    list_sort(list(lead_s) FILTER (WHERE now AND lead_s IS NOT NULL)) AS now_lead_s,
    list_sort(list(cycle_s) FILTER (WHERE now AND cycle_s IS NOT NULL)) AS now_cycle_s,
    list_sort(list(lead_s) FILTER (WHERE before AND lead_s IS NOT NULL)) AS before_lead_s,
    list_sort(list(cycle_s) FILTER (WHERE before AND cycle_s IS NOT NULL)) AS before_cycle_s
  FROM item
)
SELECT * EXCLUDE (now_lead_s, now_cycle_s, before_lead_s, before_cycle_s),
  list_transform([now_lead_s, now_cycle_s, before_lead_s, before_cycle_s], lambda one: {
    'n': coalesce(len(one), 0),
    'around': list_transform([0.5, 0.85], lambda p: {
      'place': greatest(1, (p * len(one) - sqrt(len(one)))::BIGINT - 5),
      'values': list_slice(one, greatest(1, (p * len(one) - sqrt(len(one)))::BIGINT - 5), (p * len(one) + sqrt(len(one)))::BIGINT + 5)
    })
  }) AS times
FROM counted
