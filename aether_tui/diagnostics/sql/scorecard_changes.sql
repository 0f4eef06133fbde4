-- Merged pull requests with the production deployment that carried them: the one that their label deployment:… names by id or commit
-- (none: it is known that none did), else the one of their own merge commit, else the first successful one of the repository that
-- began after the merge. One that is named gives its service. What was merged over 7 days before the first deployment that is known
-- of its repository was carried by an earlier one that is not, and is left out.
-- Of those deployed in the two windows, and those merged in them and not deployed by the window's end, as one row of lists: `services`
-- (when they were deployed in microseconds since 1970, in order, with the total of each; the parts of those of the window; how many
-- of the window wait) and `longest` (of the window, at most $most of the `of`). In seconds: coding ends when the request is opened,
-- pickup at the first review by somebody else, review at the merge, deploy when the deployment has finished; one merged without a
-- review has `unreviewed` instead of pickup and review. Without a deployment the total ends at the merge. A first commit after the
-- opening leaves no coding time (the branch was rewritten); a review before the opening counts from there, one after the merge is none.
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
),
told AS (
  SELECT source || '/' || repo || '#' || number AS id, coalesce(service, '') AS service, merged, coalesce(created, merged) AS opened, first_commit,
    CASE WHEN first_review <= merged THEN first_review END AS reviewed, CASE WHEN moment < $until THEN moment END AS deployed,
    CASE WHEN moment < $until AND moment >= merged THEN moment END AS shipped
  FROM carried
  WHERE ((moment >= $before AND moment < $until) OR ((moment IS NULL OR moment >= $until) AND merged >= $before))
    AND ($service::VARCHAR IS NULL OR service = $service)
),
split AS MATERIALIZED (
  SELECT id, service, merged, deployed, coalesce(deployed, merged) >= $since AS inside,
    CASE WHEN first_commit <= opened THEN date_diff('microsecond', first_commit, opened) / 1e6 END AS coding_s,
    CASE WHEN reviewed >= opened THEN date_diff('microsecond', opened, reviewed) / 1e6 END AS pickup_s,
    CASE WHEN reviewed IS NOT NULL THEN date_diff('microsecond', greatest(reviewed, opened), merged) / 1e6 END AS review_s,
    CASE WHEN reviewed IS NULL THEN date_diff('microsecond', opened, merged) / 1e6 END AS unreviewed_s,
    date_diff('microsecond', merged, shipped) / 1e6 AS deploy_s,
    date_diff('microsecond', least(first_commit, opened), coalesce(shipped, merged)) / 1e6 AS total_s
  FROM told
),
services AS (
  SELECT service, list({'at_us': epoch_us(deployed), 'total_s': total_s} ORDER BY deployed) FILTER (WHERE deployed IS NOT NULL) AS gone,
    list(coding_s) FILTER (WHERE inside AND deployed IS NOT NULL AND coding_s IS NOT NULL) AS coding,
    list(pickup_s) FILTER (WHERE inside AND deployed IS NOT NULL AND pickup_s IS NOT NULL) AS pickup,
    list(review_s) FILTER (WHERE inside AND deployed IS NOT NULL AND review_s IS NOT NULL) AS review,
    list(unreviewed_s) FILTER (WHERE inside AND deployed IS NOT NULL AND unreviewed_s IS NOT NULL) AS unreviewed,
    list(deploy_s) FILTER (WHERE inside AND deploy_s IS NOT NULL) AS deploy,
    count(*) FILTER (WHERE inside AND deployed IS NULL) AS waiting
  FROM split
  GROUP BY service
),
longest AS (SELECT * EXCLUDE (inside) FROM split WHERE inside ORDER BY total_s DESC, id DESC LIMIT $most)
SELECT
  (SELECT list({'service': service, 'at_us': list_transform(gone, lambda g: g.at_us), 'total_s': list_transform(gone, lambda g: g.total_s),
    'coding': coding, 'pickup': pickup, 'review': review, 'unreviewed': unreviewed, 'deploy': deploy, 'waiting': waiting} ORDER BY service)
    FROM services) AS services,
  (SELECT list(longest ORDER BY total_s DESC, id DESC) FROM longest) AS longest,
  (SELECT count(*) FROM split WHERE inside) AS of
