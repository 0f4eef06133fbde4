-- Merged pull requests that were deployed in the two windows, and those merged in them and not deployed by the window's end (`changes`
-- says which deployment carried each), as one row of lists: `services` (when they were deployed in microseconds since 1970, in order,
-- with the total of each; the parts of those of the window; how many of the window wait) and `longest` (of the window, at most $most
-- of the `of`). In seconds: coding ends when the request is opened, pickup at the first review by somebody else, review at the merge,
-- deploy when the deployment has finished; one merged without a review has `unreviewed` instead of pickup and review. Without a
-- deployment the total ends at the merge. A first commit after the opening leaves no coding time (the branch was rewritten); a review
-- before the opening counts from there, one after the merge is none.
WITH told AS (
  SELECT source || '/' || repo || '#' || number AS id, coalesce(service, '') AS service, merged, coalesce(created, merged) AS opened, first_commit,
    CASE WHEN first_review <= merged THEN first_review END AS reviewed, CASE WHEN c.deployed < $until THEN c.deployed END AS deployed,
    CASE WHEN c.deployed < $until AND c.deployed >= merged THEN c.deployed END AS shipped
  FROM changes c
  WHERE merged < $until
    AND ((c.deployed >= $before AND c.deployed < $until) OR ((c.deployed IS NULL OR c.deployed >= $until) AND merged >= $before))
    AND ($team::VARCHAR IS NULL OR team = $team)
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
