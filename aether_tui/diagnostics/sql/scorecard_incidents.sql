-- Incidents opened in the two windows; `deployment` is the id or commit that a label `deployment:…` names. `ours`: of the team and
-- service looked at, for those that no deployment can be charged with. What was cancelled, a duplicate or a false alarm, was none;
-- when one was resolved its states say, as of every item. (`opened` and `service` are those of the view `incidents`, read here beside
-- the labels.)
SELECT source, id, key, title, opened, resolved, service, deployment,
  ($team::VARCHAR IS NULL OR team IS NOT DISTINCT FROM $team) AND ($service::VARCHAR IS NULL OR service IS NOT DISTINCT FROM $service) AS ours
FROM (
  SELECT w.source, w.id, w.key, w.title, w.team, w.created AS opened, f.completed AS resolved,
    coalesce(list_filter(labels, lambda l: starts_with(lower(l), 'service:'))[1][9:], w.project) AS service,
    list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS deployment
  FROM work_items w JOIN flow_items f ON f.source = w.source AND f.id = w.id
  WHERE w.type = 'incident' AND w.category IS DISTINCT FROM 'cancelled' AND w.created >= $before AND w.created < $until
)
ORDER BY opened, source, id
