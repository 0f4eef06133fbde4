-- Incidents opened in the two windows; `deployment` is the id or commit that a label `deployment:…` names. `ours`: of the team and
-- service looked at, for those that no deployment can be charged with.
SELECT i.source, i.id, i.key, i.title, i.opened, i.resolved, i.service,
  list_filter(w.labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS deployment,
  ($team::VARCHAR IS NULL OR i.team IS NOT DISTINCT FROM $team) AND ($service::VARCHAR IS NULL OR i.service IS NOT DISTINCT FROM $service) AS ours
FROM incidents i JOIN work_items w ON w.source = i.source AND w.id = i.id
WHERE i.opened >= $before AND i.opened < $until
ORDER BY i.opened, i.source, i.id
