-- At each instant: open items older than the p85 cycle time of what their own team finished in the 90 days before
-- (teams that finished under 10 items then have no p85, and their items are not counted).
WITH items AS (
  SELECT coalesce(team, '') AS crew, started, completed, coalesce(completed, cancelled) AS ended
  FROM flow_items
  WHERE started IS NOT NULL AND type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
    AND coalesce(completed, cancelled, 'infinity'::TIMESTAMP) >= list_min($ats::TIMESTAMP[]) - INTERVAL 90 DAY
),
instants AS (SELECT unnest($ats::TIMESTAMP[]) AS moment),
limits AS (
  SELECT moment, crew, quantile_disc(epoch(completed) - epoch(started), 0.85) AS p85
  FROM instants JOIN items ON completed < moment AND completed >= moment - INTERVAL 90 DAY
  GROUP BY moment, crew
  HAVING count(*) >= 10
)
SELECT moment AS day, count(*) FILTER (WHERE epoch(moment) - epoch(started) > p85) AS k, count(*) AS n
FROM instants JOIN items ON started < moment AND (ended IS NULL OR ended >= moment) JOIN limits USING (moment, crew)
GROUP BY moment
ORDER BY ALL
