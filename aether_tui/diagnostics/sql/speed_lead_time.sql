-- From the first commit (else the opening) of a merged pull request to the end of the production deployment that carried it (`changes`),
-- by day (cut), in order.
WITH ended AS (
  SELECT date_trunc('day', deployed) AS day, epoch(deployed) - epoch(least(first_commit, created)) AS x
  FROM changes
  WHERE deployed >= $before AND deployed < $until AND least(first_commit, created) IS NOT NULL
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR service = $service)
)
SELECT {cut(day)} AS day, list(x ORDER BY x) AS x FROM ended GROUP BY ALL ORDER BY ALL
