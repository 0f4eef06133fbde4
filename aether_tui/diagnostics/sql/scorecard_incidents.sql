-- Incidents opened in the two windows; `deployment` is the id or commit that a label `deployment:…` names.
SELECT i.source, i.id, i.key, i.title, i.opened, i.resolved, i.service,
  list_filter(w.labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS deployment
FROM incidents i JOIN work_items w ON w.source = i.source AND w.id = i.id
WHERE i.opened >= $before AND i.opened < $until
  AND ($team::VARCHAR IS NULL OR i.team = $team)
  AND ($service::VARCHAR IS NULL OR i.service = $service)
ORDER BY i.opened, i.source, i.id
