-- Merged pull requests with the production deployment that carried them: the one that their label deployment:… names by id or commit
-- (none: it is known that none did), else the one of their own merge commit, else the first successful one of the repository that
-- began after the merge. One that is named gives its service. Those deployed in the two windows, and those merged in them and
-- not deployed by the window's end (deployed is null). What was merged over 7 days before the first deployment that is known of its
-- repository was carried by an earlier one that is not, and is left out.
WITH pulls AS (
  SELECT source, repo, number, service, created, first_commit, first_review, merged, merge_sha
  FROM pull_requests
  WHERE merged < $until AND ($team::VARCHAR IS NULL OR team = $team)
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
  SELECT p.* EXCLUDE (service), coalesce(n.service, p.service, p.repo) AS service,
    CASE WHEN n.number IS NULL THEN coalesce(o.moment, d.moment) ELSE n.moment END AS moment
  FROM pulls p
  ASOF LEFT JOIN production d ON d.repo = p.repo AND d.begun >= p.merged
  LEFT JOIN own o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
  LEFT JOIN known k ON k.repo = p.repo
  LEFT JOIN named n ON n.source = p.source AND n.repo = p.repo AND n.number = p.number
  WHERE o.moment IS NOT NULL OR n.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)
)
SELECT source, repo || '#' || number AS id, service, created, first_commit, first_review, merged, CASE WHEN moment < $until THEN moment END AS deployed
FROM carried
WHERE ((moment >= $before AND moment < $until) OR ((moment IS NULL OR moment >= $until) AND merged >= $before))
  AND ($service::VARCHAR IS NULL OR service = $service)
ORDER BY ALL
