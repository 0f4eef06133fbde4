-- Arrivals, starts and departures by day, team and type, and what is in progress at the end of the day.
-- Every day from a team's first event to the last event of all has a row (of the last ten years, whatever dates say).
WITH item AS (
    SELECT team, type, {day(created)} AS created, {day(started)} AS started, {day(completed)} AS completed,
        {day(cancelled)} AS cancelled, {day(coalesce(completed, cancelled))} AS ended
    FROM {flow_items}
),
events AS (
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
),
bounds AS (
    SELECT team, type, min(day) AS first_day, (SELECT max(day) FROM events) AS last_day FROM events GROUP BY team, type
),
calendar AS (
    SELECT day, team, type FROM events
    UNION
    SELECT {days(greatest(first_day, last_day - INTERVAL 3660 DAY), last_day)}, team, type FROM bounds
),
daily AS (
    SELECT c.day, c.team, c.type,
        coalesce(e.arrivals, 0) AS arrivals, coalesce(e.started, 0) AS started,
        coalesce(e.departures, 0) AS departures, coalesce(e.cancelled, 0) AS cancelled,
        coalesce(e.change, 0) AS change
    FROM calendar AS c
    LEFT JOIN events AS e
        ON e.day = c.day AND e.team IS NOT DISTINCT FROM c.team AND e.type IS NOT DISTINCT FROM c.type
)
SELECT day, team, type, arrivals, started, departures, cancelled,
    sum(change) OVER (PARTITION BY team, type ORDER BY day) AS wip
FROM daily
