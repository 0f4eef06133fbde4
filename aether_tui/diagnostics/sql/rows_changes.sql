-- Merged requests behind the lead time: deployed in the window, or merged in it and still waiting; the longest way first.
WITH production AS (
  SELECT repo, sha, coalesce(started, finished) AS begun, coalesce(finished, started) AS moment
  FROM deployments
  WHERE environment = 'production' AND result = 'success' AND coalesce(started, finished) IS NOT NULL
),
known AS (SELECT repo, min(begun) - INTERVAL 7 DAY AS since FROM production GROUP BY repo),
own AS (SELECT repo, sha, min(moment) AS moment FROM production WHERE sha IS NOT NULL GROUP BY repo, sha),
carried AS (
  SELECT p.*, coalesce(o.moment, d.moment) AS moment
  FROM pull_requests p
  ASOF LEFT JOIN production d ON d.repo = p.repo AND d.begun >= p.merged
  LEFT JOIN own o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
  LEFT JOIN known k ON k.repo = p.repo
  WHERE (o.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)) AND p.merged < $until AND p.merged >= $since::TIMESTAMP - INTERVAL 365 DAY
    AND ($team::VARCHAR IS NULL OR p.team = $team) AND ($service::VARCHAR IS NULL OR coalesce(p.service, p.repo) = $service)
)
SELECT source, repo || '#' || number AS id, repo || '#' || number AS name, coalesce(array_to_string(item_keys, ' '), '') AS title,
  epoch(CASE WHEN moment < $until THEN moment END) - epoch(least(coalesce(first_commit, created), created)) AS value, merged AS "at",
  coalesce(service, repo) AS service, team, created, first_commit, first_review, merged, CASE WHEN moment < $until THEN moment END AS deployed,
  additions, deletions, count(*) OVER () AS of
FROM carried
WHERE (moment >= $since AND moment < $until) OR ((moment IS NULL OR moment >= $until) AND merged >= $since)
ORDER BY value DESC NULLS LAST, source, id
LIMIT 60
