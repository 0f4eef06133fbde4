-- Work items by day.
SELECT day, team, type, sum(arrivals) AS arrivals, sum(departures) AS departures, sum(wip) AS wip
FROM flow_daily
WHERE day >= $since_day AND day < $until_day AND ($team::VARCHAR IS NULL OR team = $team)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
