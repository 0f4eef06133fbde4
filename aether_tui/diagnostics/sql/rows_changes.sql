-- Merged requests behind the lead time: deployed in the window, or merged in it and still waiting; the longest way first.
WITH pulls AS (
  SELECT *, list_filter(labels, lambda l: starts_with(lower(l), 'deployment:'))[1][12:] AS named
  FROM pull_requests
  WHERE merged < $until AND merged >= $since::TIMESTAMP - INTERVAL 365 DAY AND ($team::VARCHAR IS NULL OR team = $team)
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
  SELECT p.* EXCLUDE (service), coalesce(n.service, p.service, p.repo) AS service,
    CASE WHEN p.named IS NULL THEN coalesce(o.moment, d.moment) ELSE n.moment END AS moment
  FROM pulls p
  ASOF LEFT JOIN production d ON d.repo = p.repo AND d.begun >= p.merged
  LEFT JOIN own o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
  LEFT JOIN known k ON k.repo = p.repo
  LEFT JOIN names n ON n.source = p.source AND n.name = p.named AND n.moment >= p.merged
  WHERE o.moment IS NOT NULL OR n.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)
)
SELECT source, repo || '#' || number AS id, repo || '#' || number AS name, coalesce(array_to_string(item_keys, ' '), '') AS title,
  epoch(CASE WHEN moment < $until THEN moment END) - epoch(least(coalesce(first_commit, created), created)) AS value, merged AS "at",
  service, team, created, first_commit, first_review, merged, CASE WHEN moment < $until THEN moment END AS deployed,
  additions, deletions, count(*) OVER () AS of
FROM carried
WHERE ((moment >= $since AND moment < $until) OR ((moment IS NULL OR moment >= $until) AND merged >= $since))
  AND ($service::VARCHAR IS NULL OR service = $service)
ORDER BY value DESC NULLS LAST, source, id
LIMIT 60
