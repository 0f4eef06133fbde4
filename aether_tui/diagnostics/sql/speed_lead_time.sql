-- From the first commit (else the opening) of a merged pull request to the end of the production deployment that carried it: the
-- one of its own merge commit, else the first successful one of its repository that began after the merge (as scorecard_changes,
-- with the same left out).
WITH production AS (
  SELECT repo, sha, coalesce(started, finished) AS begun, coalesce(finished, started) AS moment
  FROM deployments
  WHERE environment = 'production' AND result = 'success' AND coalesce(started, finished) IS NOT NULL
),
known AS (SELECT repo, min(begun) - INTERVAL 7 DAY AS since FROM production GROUP BY repo),
own AS (SELECT repo, sha, min(moment) AS moment FROM production WHERE sha IS NOT NULL GROUP BY repo, sha),
carried AS (
  SELECT least(p.first_commit, p.created) AS begun, coalesce(o.moment, d.moment) AS moment
  FROM (SELECT * FROM pull_requests WHERE merged IS NOT NULL
    AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($service::VARCHAR IS NULL OR coalesce(service, repo) = $service)) p
  ASOF LEFT JOIN production d ON d.repo = p.repo AND d.begun >= p.merged
  LEFT JOIN own o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
  LEFT JOIN known k ON k.repo = p.repo
  WHERE o.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)
)
SELECT date_trunc('day', moment) AS day, list(epoch(moment) - epoch(begun)) AS x
FROM carried
WHERE moment >= $before AND moment < $until AND begun IS NOT NULL
GROUP BY day
ORDER BY day
