-- Incidents behind a recovery time ($ids: opened in the window and charged to a deployment of the service), those that took or take
-- longest first.
SELECT source, id, i.key AS name, i.title, epoch(coalesce(least(f.completed, $until::TIMESTAMP), $until::TIMESTAMP)) - epoch(opened) AS value,
  opened AS "at", severity, service, i.team, opened, f.completed AS resolved, count(*) OVER () AS of
FROM incidents i JOIN flow_items f USING (source, id)
WHERE list_contains($ids::VARCHAR[], source || '/' || id)
ORDER BY value DESC, source, id
LIMIT 60
