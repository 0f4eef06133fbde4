-- First active to last done of the items completed, by day (cut), in order.
WITH ended AS (
  SELECT date_trunc('day', completed) AS day, greatest(epoch(completed) - epoch(started), 0) AS x
  FROM flow_items
  WHERE started IS NOT NULL AND completed >= $before AND completed < $until AND type IS DISTINCT FROM 'incident'
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
)
SELECT {cut(day)} AS day, list(x ORDER BY x) AS x FROM ended GROUP BY ALL ORDER BY ALL
