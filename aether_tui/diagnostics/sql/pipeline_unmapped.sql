-- States that no lifecycle phase is mapped to, most items first.
SELECT state, count(*) AS n
FROM flow_items
WHERE phase IS NULL AND state IS NOT NULL AND coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND category IS DISTINCT FROM 'cancelled'
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY state
ORDER BY n DESC, state
LIMIT 8
