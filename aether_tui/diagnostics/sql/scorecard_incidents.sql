-- Incidents opened in the two windows; `deployment` is the id or commit that a label `deployment:…` names. `ours`: of the team and
-- service looked at, for those that no deployment can be charged with. (`opened`, `resolved` and `service` are those of the view
-- `incidents`, read here beside the labels.)
SELECT source, id, key, title, opened, resolved, service, deployment,
  ($team::VARCHAR IS NULL OR team IS NOT DISTINCT FROM $team) AND ($service::VARCHAR IS NULL OR service IS NOT DISTINCT FROM $service) AS ours
FROM (
  SELECT source, id, key, title, team, created AS opened, completed AS resolved,
    coalesce(list_filter(labels, lambda l: starts_with(lower(l), 'service:'))[1][9:], project) AS service,
    list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS deployment
  FROM work_items
  WHERE type = 'incident' AND created >= $before AND created < $until
)
ORDER BY opened, source, id
