-- Items of the trackers that could become opportunities, oldest first: open ones, unless a state is asked for.
SELECT source, id, key, title, source_type, state, priority, estimate, project, coalesce(team, source_team) AS team, labels, url
FROM work_items
WHERE ($source::VARCHAR IS NULL OR source = $source)
  AND ($type::VARCHAR IS NULL OR lower($type) IN (lower(type), lower(source_type)))
  AND ($project::VARCHAR IS NULL OR lower(project) = lower($project))
  AND ($team::VARCHAR IS NULL OR lower($team) IN (lower(team), lower(source_team)))
  AND ($label::VARCHAR IS NULL OR list_contains(list_transform(labels, lambda one: lower(one)), lower($label)))
  AND CASE WHEN $state::VARCHAR IS NULL THEN completed IS NULL AND cancelled IS NULL
           ELSE lower($state) IN (lower(state), lower(category)) END
ORDER BY created, source, id
LIMIT 1001
