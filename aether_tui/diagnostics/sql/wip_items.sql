-- Work in progress at the window's end: started, neither done nor cancelled, incidents left out, with initiative and who has it.
SELECT f.key, f.project, w.assignee
FROM flow_items AS f JOIN work_items AS w ON w.source = f.source AND w.id = f.id
WHERE f.type IS DISTINCT FROM 'incident' AND f.started < $until
  AND (coalesce(f.completed, f.cancelled) IS NULL OR coalesce(f.completed, f.cancelled) >= $until)
  AND ($team::VARCHAR IS NULL OR f.team = $team)
ORDER BY f.key, f.source, f.id
