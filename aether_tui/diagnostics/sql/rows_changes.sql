-- Merged requests behind the lead time: deployed in the window, or merged in it and still waiting; the longest way first.
WITH counted AS (
  SELECT source, repo, number, service, team, created, first_commit, first_review, merged,
    CASE WHEN deployed < $until THEN deployed END AS deployed, count(*) OVER () AS of
  FROM changes
  WHERE merged < $until AND merged >= $since::TIMESTAMP - INTERVAL 365 DAY
    AND ((deployed >= $since AND deployed < $until) OR ((deployed IS NULL OR deployed >= $until) AND merged >= $since))
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR service = $service)
)
SELECT c.source, c.repo || '#' || c.number AS id, c.repo || '#' || c.number AS name,
  coalesce(array_to_string(p.item_keys, ' '), '') AS title, epoch(c.deployed) - epoch(least(c.first_commit, c.created)) AS value,
  c.merged AS "at", c.service, c.team, c.created, c.first_commit, c.first_review, c.merged, c.deployed, p.additions, p.deletions, c.of
FROM counted c JOIN pull_requests p ON p.source = c.source AND p.repo = c.repo AND p.number = c.number
ORDER BY value DESC NULLS LAST, c.source, id
LIMIT 60
