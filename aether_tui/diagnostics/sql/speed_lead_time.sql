-- From the first commit (else the opening) of a merged pull request to the end of the production deployment that carried it: found
-- as by scorecard_changes, with the same left out.
WITH pulls AS (
  SELECT source, repo, number, service, created, first_commit, merged, merge_sha
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
named AS (
  SELECT l.source, l.repo, l.number, min(d.moment) AS moment, min(coalesce(d.service, d.repo)) AS service
  FROM (
    SELECT source, repo, number, merged, list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS name
    FROM pull_requests WHERE len(labels) > 0
  ) l
    LEFT JOIN (SELECT *, unnest([id, sha]) AS name FROM production) d ON d.source = l.source AND d.name = l.name AND d.moment >= l.merged
  WHERE l.name IS NOT NULL
  GROUP BY ALL
),
carried AS (
  SELECT least(p.first_commit, p.created) AS begun, coalesce(n.service, p.service, p.repo) AS service,
    CASE WHEN n.number IS NULL THEN coalesce(o.moment, d.moment) ELSE n.moment END AS moment
  FROM pulls p
  ASOF LEFT JOIN production d ON d.repo = p.repo AND d.begun >= p.merged
  LEFT JOIN own o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
  LEFT JOIN known k ON k.repo = p.repo
  LEFT JOIN named n ON n.source = p.source AND n.repo = p.repo AND n.number = p.number
  WHERE o.moment IS NOT NULL OR n.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)
)
SELECT date_trunc('day', moment) AS day, list(epoch(moment) - epoch(begun)) AS x
FROM carried
WHERE moment >= $before AND moment < $until AND begun IS NOT NULL AND ($service::VARCHAR IS NULL OR service = $service)
GROUP BY day
ORDER BY day
