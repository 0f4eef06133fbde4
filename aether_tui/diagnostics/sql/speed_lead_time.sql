-- From the first commit (else the opening) of a merged pull request to the end of the production deployment that carried it (`changes`).
SELECT date_trunc('day', deployed) AS day, list(epoch(deployed) - epoch(least(first_commit, created))) AS x
FROM changes
WHERE deployed >= $before AND deployed < $until AND least(first_commit, created) IS NOT NULL
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY day
ORDER BY day
