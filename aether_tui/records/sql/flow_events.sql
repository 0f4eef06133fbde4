-- Arrivals, starts and departures by day, team and type, and by how much they change what is in progress; days on which
-- something happened only.
WITH item AS (
    SELECT team, type, {day(created)} AS created, {day(started)} AS started, {day(completed)} AS completed,
        {day(cancelled)} AS cancelled, {day(coalesce(completed, cancelled))} AS ended
    FROM {flow_items}
)
SELECT day, team, type, count(*) FILTER (kind = 1) AS arrivals, count(*) FILTER (kind = 2) AS started,
    count(*) FILTER (kind = 3) AS departures, count(*) FILTER (kind = 4) AS cancelled,
    count(*) FILTER (kind = 5) - count(*) FILTER (kind = 6) AS change
FROM (
    SELECT team, type, kind, CASE kind WHEN 1 THEN created WHEN 2 THEN started WHEN 3 THEN completed WHEN 4 THEN cancelled
        WHEN 5 THEN CASE WHEN ended IS NULL OR started <= ended THEN started END
        ELSE CASE WHEN started <= ended THEN ended END END AS day
    FROM item CROSS JOIN (VALUES (1), (2), (3), (4), (5), (6)) AS kinds (kind)  -- one pass takes a third of the memory of six
) AS event
WHERE day IS NOT NULL
GROUP BY day, team, type
