-- Incidents opened in the window, those that took or take longest first.
SELECT source, id, key AS name, title, epoch(coalesce(resolved, $until::TIMESTAMP)) - epoch(opened) AS value, opened AS "at", severity, service,
  team, opened, resolved, count(*) OVER () AS of
FROM incidents
WHERE opened >= $since AND opened < $until
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
ORDER BY value DESC, source, id
LIMIT 60
