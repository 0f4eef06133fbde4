-- Arrivals, starts and departures by day, team and type, and what is in progress at the end of the day.
-- Every day from a team's first event to the last event of all has a row (of the last ten years, whatever dates say).
WITH events AS (FROM {flow_events}),
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
