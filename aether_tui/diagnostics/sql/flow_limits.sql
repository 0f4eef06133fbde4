-- Work in progress at the window's end with its initiative, as `wip_items` without who has it.
SELECT key, project, NULL AS assignee
FROM flow_items
WHERE type IS DISTINCT FROM 'incident' AND started < $until AND (coalesce(completed, cancelled) IS NULL OR coalesce(completed, cancelled) >= $until)
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($feature::VARCHAR IS NULL OR feature = $feature)
ORDER BY key, source, id
