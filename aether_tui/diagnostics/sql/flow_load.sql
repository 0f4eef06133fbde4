-- Work in progress (started, neither done nor cancelled): who came and left within the window, the time all of it spent in the
-- window, the whole time of those that left, and the state at both ends. `queued`: accepted, not started, at the end.
WITH items AS (
  SELECT created, started, completed, coalesce(completed, cancelled) AS ended, category
  FROM flow_items
  WHERE type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
progress AS (SELECT started, ended FROM items WHERE started IS NOT NULL AND (ended IS NULL OR started <= ended)),
load AS (
  SELECT count(*) FILTER (WHERE started >= $since AND started < $until) AS arrivals,
    count(*) FILTER (WHERE ended >= $since AND ended < $until) AS departures,
    sum(epoch_us(ended) - epoch_us(started)) FILTER (WHERE ended >= $since AND ended < $until) / 1e6 AS stay_s,
    sum(epoch_us(least(coalesce(ended, $until::TIMESTAMP), $until::TIMESTAMP)) - epoch_us(greatest(started, $since::TIMESTAMP)))
      FILTER (WHERE started < $until AND (ended IS NULL OR ended > $since)) / 1e6 AS present_s,
    count(*) FILTER (WHERE started < $since AND (ended IS NULL OR ended >= $since)) AS open_before,
    count(*) FILTER (WHERE started < $until AND (ended IS NULL OR ended >= $until)) AS open_now,
    avg(epoch_us($since::TIMESTAMP) - epoch_us(started)) FILTER (WHERE started < $since AND (ended IS NULL OR ended >= $since)) / 1e6 AS age_before_s,
    avg(epoch_us($until::TIMESTAMP) - epoch_us(started)) FILTER (WHERE started < $until AND (ended IS NULL OR ended >= $until)) / 1e6 AS age_now_s
  FROM progress
)
SELECT load.*,
  (SELECT min(least(created, started, completed)) FROM items) AS first_seen,
  (SELECT count(*) FROM items WHERE started IS NULL AND ended IS NULL AND category = 'queue' AND created < $until) AS queued
FROM load
ORDER BY ALL
