-- Arrivals, starts and departures by day, team and type, and what is in progress at the end of the day.
-- Every day from a team's first event to the last event of all has a row (of the last ten years, whatever dates say).
WITH items AS (
    SELECT team, type, {day(created)} AS created, {day(started)} AS started, {day(completed)} AS completed,
        {day(cancelled)} AS cancelled, {day(coalesce(completed, cancelled))} AS ended
    FROM {flow_items}
),
events AS (
    SELECT day, team, type, sum(arrival) AS arrivals, sum(start) AS started, sum(departure) AS departures,
        sum(cancel) AS cancelled, sum(step) AS change
    FROM (
        SELECT created AS day, team, type, 1 AS arrival, 0 AS start, 0 AS departure, 0 AS cancel, 0 AS step
        FROM items WHERE created IS NOT NULL
        UNION ALL SELECT started, team, type, 0, 1, 0, 0, 0 FROM items WHERE started IS NOT NULL
        UNION ALL SELECT completed, team, type, 0, 0, 1, 0, 0 FROM items WHERE completed IS NOT NULL
        UNION ALL SELECT cancelled, team, type, 0, 0, 0, 1, 0 FROM items WHERE cancelled IS NOT NULL
        UNION ALL SELECT started, team, type, 0, 0, 0, 0, 1 FROM items
            WHERE started IS NOT NULL AND (ended IS NULL OR started <= ended)
        UNION ALL SELECT ended, team, type, 0, 0, 0, 0, -1 FROM items WHERE started <= ended
    )
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
