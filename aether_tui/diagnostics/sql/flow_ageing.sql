-- Items in progress at the window's end with the p85 cycle time of what their own team finished in the 90 days before (null under
-- 10 items): the oldest against it first, with counts of all of them.
WITH items AS (
  SELECT source, id, key, title, team, coalesce(team, '') AS crew, state, started, completed, coalesce(completed, cancelled) AS ended, category_since
  FROM flow_items
  WHERE started IS NOT NULL AND type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
limits AS (
  SELECT crew, quantile_disc(greatest(epoch(completed) - epoch(started), 0), 0.85) AS p85_s
  FROM items
  WHERE completed < $until AND completed >= $until::TIMESTAMP - INTERVAL 90 DAY
  GROUP BY crew
  HAVING count(*) >= 10
),
aged AS (
  SELECT i.source, i.id, i.key, i.title, i.team, i.state, epoch($until::TIMESTAMP) - epoch(i.started) AS age_s,
    greatest(epoch($until::TIMESTAMP) - epoch(coalesce(i.category_since, i.started)), 0) AS still_s, l.p85_s
  FROM items i LEFT JOIN limits l USING (crew)
  WHERE i.started < $until AND (i.ended IS NULL OR i.ended >= $until)
)
SELECT *, count(*) OVER () AS open, count(p85_s) OVER () AS judged, count(*) FILTER (WHERE age_s > p85_s) OVER () AS past
FROM aged
ORDER BY age_s / p85_s DESC NULLS LAST, source, id
LIMIT 200
