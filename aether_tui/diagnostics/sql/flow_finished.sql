-- Items finished in the window or the one before. `history`: their source keeps status history, so that no reopening means none.
SELECT completed AS at, CASE WHEN created IS NOT NULL THEN greatest(epoch(completed) - epoch(created), 0) END AS lead_s,
  CASE WHEN started IS NOT NULL THEN greatest(epoch(completed) - epoch(started), 0) END AS cycle_s, reopened > 0 AS reopened,
  source IN (SELECT DISTINCT source FROM work_transitions) AS history
FROM flow_items
WHERE completed >= $before AND completed < $until AND type IS DISTINCT FROM 'incident'
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
ORDER BY ALL
