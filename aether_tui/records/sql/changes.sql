-- Merged pull requests with the production deployment that carried them, null while none did: the one that their label deployment:…
-- names by id or commit (none: it is known that none did), else the one of their own merge commit, else the first successful one of the
-- repository that began after the merge. One that is named gives its service. What was merged over 7 days before the first deployment
-- that is known of its repository was carried by an earlier one that is not, and is left out.
WITH pulls AS (
    SELECT source, repo, number, service, team, created, first_commit, first_review, merged, merge_sha,
        {label(labels, deployment)} AS name
    FROM {pull_requests}
    WHERE merged IS NOT NULL
),
production AS (
    SELECT source, id, repo, sha, coalesce(service, repo) AS service, coalesce(started, finished) AS begun,
        coalesce(finished, started) AS moment
    FROM {deployments}
    WHERE environment = 'production' AND result = 'success' AND coalesce(started, finished) IS NOT NULL
),
following AS (SELECT repo, begun, min(moment) AS moment FROM production GROUP BY repo, begun),
known AS (SELECT repo, min(begun) - INTERVAL 7 DAY AS since FROM production GROUP BY repo),
own AS (SELECT repo, sha, min(moment) AS moment FROM production WHERE sha IS NOT NULL GROUP BY repo, sha),
named AS (
    SELECT p.source, p.repo, p.number, min(d.moment) AS moment, min(d.service) AS service
    FROM pulls AS p
    LEFT JOIN (SELECT source, service, moment, unnest([id, sha]) AS name FROM production) AS d
        ON d.source = p.source AND d.name = p.name AND d.moment >= p.merged
    WHERE p.name IS NOT NULL
    GROUP BY p.source, p.repo, p.number
)
SELECT p.source, p.repo, p.number, p.name IS NOT NULL AS named, coalesce(n.service, p.service, p.repo) AS service, p.team, p.created,
    p.first_commit, p.first_review, p.merged, CASE WHEN p.name IS NULL THEN coalesce(o.moment, d.moment) ELSE n.moment END AS deployed
FROM pulls AS p
ASOF LEFT JOIN following AS d ON d.repo = p.repo AND d.begun >= p.merged
LEFT JOIN own AS o ON o.repo = p.repo AND o.sha = p.merge_sha AND o.moment >= p.merged
LEFT JOIN known AS k ON k.repo = p.repo
LEFT JOIN named AS n ON n.source = p.source AND n.repo = p.repo AND n.number = p.number
WHERE o.moment IS NOT NULL OR n.moment IS NOT NULL OR coalesce(p.merged >= k.since, true)
