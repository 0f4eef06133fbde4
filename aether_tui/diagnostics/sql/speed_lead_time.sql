-- From the first commit (else the opening) of a merged pull request to the end of the production deployment that carried it: found
-- as by scorecard_changes, with the same left out.
WITH pulls AS (
  SELECT source, repo, service, created, first_commit, merged, merge_sha,
    list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS named
  FROM pull_requests
  WHERE merged IS NOT NULL AND ($team::VARCHAR IS NULL OR team = $team)
),
production AS (
  SELECT source, id, repo, sha, service, coalesce(started, finished) AS begun, coalesce(finished, started) AS moment
  FROM deployments
  WHERE environment = 'production' AND result = 'success' AND coalesce(started, finished) IS NOT NULL
),
known AS (SELECT repo, min(begun) - INTERVAL 7 DAY AS since FROM production GROUP BY repo),
own AS (SELECT repo, sha, min(moment) AS moment FROM production WHERE sha IS NOT NULL GROUP BY repo, sha),
names AS (
  SELECT source, name, min(moment) AS moment, min(coalesce(service, repo)) AS service
  FROM (SELECT *, unnest([id, sha]) AS name FROM production)
  WHERE (source, name) IN (SELECT source, named FROM pulls)
  GROUP BY ALL
),
carried AS (
  SELECT least(p.first_commit, p.created) AS begun, coalesce(n.service, p.service, p.repo) AS service,
    CASE WHEN p.named IS NULL THEN coalesce(o.moment, d.moment) ELSE n.moment END AS moment
  FROM pulls p
  ASOF LEFT JOIN production d ON d.repo = p.repo AND d.begun >= p.merged
  LEFT JOIN own o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
  LEFT JOIN known k ON k.repo = p.repo
  LEFT JOIN names n ON n.source = p.source AND n.name = p.named AND n.moment >= p.merged
  WHERE o.moment IS NOT NULL OR n.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)
)
SELECT date_trunc('day', moment) AS day, list(epoch(moment) - epoch(begun)) AS x
FROM carried
WHERE moment >= $before AND moment < $until AND begun IS NOT NULL AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY day
ORDER BY day
