-- Items finished and in progress by day, of the two windows.
SELECT day, sum(departures) AS departures, sum(wip) AS wip
FROM flow_daily
WHERE day >= $before AND day < $until AND type IS DISTINCT FROM 'incident' AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY day
ORDER BY day
