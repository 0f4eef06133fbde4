-- Incidents behind a recovery time ($ids: opened in the window and charged to a deployment of the service), those that took or take
-- longest first.
SELECT source, id, key AS name, title, epoch(coalesce(least(resolved, $until::TIMESTAMP), $until::TIMESTAMP)) - epoch(opened) AS value,
  opened AS "at", severity, service, team, opened, resolved, count(*) OVER () AS of
FROM incidents
WHERE list_contains($ids::VARCHAR[], source || '/' || id)
ORDER BY value DESC, source, id
LIMIT 60
