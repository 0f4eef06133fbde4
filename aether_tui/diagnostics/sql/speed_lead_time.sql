-- From the first commit (else the opening) of a merged pull request to the first successful production deployment of its
-- repository after the merge.
SELECT date_trunc('day', d.moment) AS day, greatest(epoch(d.moment) - epoch(coalesce(p.first_commit, p.created)), 0) AS x, 1 AS n
FROM (SELECT * FROM pull_requests WHERE merged IS NOT NULL
  AND ($team::VARCHAR IS NULL OR team = $team)
  AND ($service::VARCHAR IS NULL OR service = $service)) p
ASOF JOIN (
  SELECT repo, coalesce(finished, started) AS moment FROM deployments WHERE environment = 'production' AND result = 'success'
) d ON d.repo = p.repo AND d.moment >= p.merged
WHERE d.moment >= $before AND d.moment < $until
