-- Merged pull requests with the production deployment that carried them: the one of their own merge commit, else the first
-- successful one of the repository that began after the merge. Those deployed in the two windows, and those merged in them and
-- not deployed by the window's end (deployed is null). What was merged over 7 days before the first deployment that is known of its
-- repository was carried by an earlier one that is not, and is left out.
WITH pulls AS (
  SELECT repo, number, service, created, first_commit, first_review, merged, merge_sha
  FROM pull_requests
  WHERE merged < $until
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR coalesce(service, repo) = $service)
),
production AS (
  SELECT repo, sha, coalesce(started, finished) AS begun, coalesce(finished, started) AS moment
  FROM deployments
  WHERE environment = 'production' AND result = 'success' AND coalesce(started, finished) IS NOT NULL
),
known AS (SELECT repo, min(begun) - INTERVAL 7 DAY AS since FROM production GROUP BY repo),
own AS (SELECT repo, sha, min(moment) AS moment FROM production WHERE sha IS NOT NULL GROUP BY repo, sha),
carried AS (
  SELECT p.*, coalesce(o.moment, d.moment) AS moment
  FROM pulls p
  ASOF LEFT JOIN production d ON d.repo = p.repo AND d.begun >= p.merged
  LEFT JOIN own o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
  LEFT JOIN known k ON k.repo = p.repo
  WHERE o.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)
)
SELECT coalesce(service, repo) AS service, created, first_commit, first_review, merged, CASE WHEN moment < $until THEN moment END AS deployed
FROM carried
WHERE (moment >= $before AND moment < $until) OR ((moment IS NULL OR moment >= $until) AND merged >= $before)
ORDER BY ALL
