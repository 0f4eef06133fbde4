-- Merged requests behind the lead time: deployed in the window, or merged in it and still waiting; the longest way first.
WITH pulls AS (
  SELECT *
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
SELECT source, repo || '#' || number AS id, repo || '#' || number AS name, coalesce(array_to_string(item_keys, ' '), '') AS title,
  epoch(CASE WHEN moment < $until THEN moment END) - epoch(least(coalesce(first_commit, created), created)) AS value, merged AS "at",
  service, team, created, first_commit, first_review, merged, CASE WHEN moment < $until THEN moment END AS deployed,
  additions, deletions, count(*) OVER () AS of
FROM carried
WHERE ((moment >= $since AND moment < $until) OR ((moment IS NULL OR moment >= $until) AND merged >= $since))
  AND ($service::VARCHAR IS NULL OR service = $service)
ORDER BY value DESC NULLS LAST, source, id
LIMIT 60
