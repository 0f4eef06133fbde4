-- How many rows are left after each step that a number needs, over all time: where the first zero stands, its panel is empty;
-- and of when the newest is.
SELECT (SELECT count(*) FROM work_items) AS items, count(*) AS deployments, count(*) FILTER (WHERE environment = 'production') AS production,
  count(*) FILTER (WHERE environment = 'production' AND result = 'success') AS succeeded,
  (SELECT count(*) FROM pull_requests) AS pulls, (SELECT count(merged) FROM pull_requests) AS merged,
  (SELECT count(merged) FROM pull_requests
    WHERE repo IN (SELECT repo FROM deployments WHERE environment = 'production')
      OR list_filter(labels, lambda l: starts_with(lower(l), 'deployment:') AND lower(l) <> 'deployment:none')[1] IS NOT NULL
  ) AS merged_where_deployed,
  (SELECT count(*) FROM work_items WHERE type = 'incident') AS incidents,
  (SELECT count(*) FROM incidents WHERE service IN (SELECT coalesce(service, repo) FROM deployments WHERE environment = 'production'))
    AS incidents_of_services,
  greatest(max(coalesce(finished, started)), (SELECT max(merged) FROM pull_requests)) AS newest
FROM deployments
