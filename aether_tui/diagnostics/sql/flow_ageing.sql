-- Items in progress at the window's end with the p85 cycle time of what their own team finished in the 90 days before (null under
-- 10 items): the oldest against it first, with counts of all of them. Words are fetched for those that are shown.
WITH item AS (
  SELECT rowid AS place, source, id, coalesce(team, '') AS crew, started, completed, coalesce(completed, cancelled) AS ended, category_since
  FROM flow_items
  WHERE started < $until AND type IS DISTINCT FROM 'incident'
    AND (coalesce(completed, cancelled) IS NULL OR coalesce(completed, cancelled) >= $until::TIMESTAMP - INTERVAL 90 DAY)
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
limits AS (
  SELECT crew, quantile_disc(greatest(epoch(completed) - epoch(started), 0), 0.85) AS p85_s
  FROM item
  WHERE completed < $until AND completed >= $until::TIMESTAMP - INTERVAL 90 DAY
  GROUP BY crew
  HAVING count(*) >= 10
),
aged AS (
  SELECT i.place, i.source, i.id, epoch($until::TIMESTAMP) - epoch(i.started) AS age_s,
    greatest(epoch($until::TIMESTAMP) - epoch(coalesce(i.category_since, i.started)), 0) AS still_s, l.p85_s
  FROM item i LEFT JOIN limits l USING (crew)
  WHERE i.ended IS NULL OR i.ended >= $until
),
counted AS (SELECT count(*) AS open, count(p85_s) AS judged, count(*) FILTER (WHERE age_s > p85_s) AS past FROM aged),
oldest AS (SELECT * FROM aged ORDER BY age_s / p85_s DESC NULLS LAST, source, id LIMIT 200)
SELECT o.source, o.id, f.key, f.title, f.team, f.state, o.age_s, o.still_s, o.p85_s, c.open, c.judged, c.past
FROM oldest o JOIN flow_items f ON f.rowid = o.place, counted c
ORDER BY o.age_s / o.p85_s DESC NULLS LAST, o.source, o.id
