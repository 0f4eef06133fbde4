-- Of items finished in the window that have status history: the time they spent in each category between creation and completion,
-- and how often somebody else than before moved them (null where a mover is not named), as sums. `busy`: active, wait and queue;
-- `off` and `handoffs_off` are the squared distances from the mean share and the mean, for their intervals.
WITH item AS (
  SELECT active_us / 1e6 AS active_s, active_us + wait_us + queue_us AS busy_us, active_us, unmapped_us, handoffs
  FROM flow_items
  WHERE completed >= $since AND completed < $until AND transitions > 0 AND type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
), mean AS (SELECT sum(active_us) / nullif(sum(busy_us), 0) AS active, avg(handoffs) AS handoffs FROM item)
SELECT count(*) AS n, sum(active_us) / 1e6 AS active_s, sum(busy_us) / 1e6 AS busy_s, sum(unmapped_us) / 1e6 AS unmapped_s,
  sum(off ORDER BY off) AS off, count(handoffs) AS handoffs_n, sum(handoffs) AS handoffs, min(handoffs) = max(handoffs) AS alike,
  sum(handoffs_off ORDER BY handoffs_off) AS handoffs_off
FROM (
  SELECT item.*, pow(active_us / 1e6 - mean.active * (busy_us / 1e6), 2) AS off, pow(item.handoffs - mean.handoffs, 2) AS handoffs_off
  FROM item, mean
)
