-- Items that were validated or released in the two windows: when they left validation for specification or a later stage, how long
-- after their creation, and when they were released.
WITH items AS (
  SELECT source, id, key, created, validation_at, release_at,
    least(specification_at, build_at, release_at, measure_at, learn_at) AS later
  FROM flow_items
  WHERE (validation_at IS NOT NULL OR release_at IS NOT NULL) AND coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
)
SELECT key, CASE WHEN validation_at <= later THEN later END AS validated, epoch(later) - epoch(created) AS took_s, release_at AS released
FROM items
WHERE (validation_at <= later AND later >= $before AND later < $until) OR (release_at >= $before AND release_at < $until)
ORDER BY ALL
