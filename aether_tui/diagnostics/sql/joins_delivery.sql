-- How many rows are left after each step that a number needs, over all time: where the first zero stands, its panel is empty;
-- and of when the newest is.
SELECT items, deployments, production, succeeded, pulls, merged, merged_where_deployed, incidents, incidents_of_services,
  greatest(deployed, last_merged) AS newest
FROM (
  SELECT count(*) AS deployments, count(*) FILTER (WHERE environment = 'production') AS production,
    count(*) FILTER (WHERE environment = 'production' AND result = 'success') AS succeeded,
    max(coalesce(finished, started)) FILTER (WHERE environment = 'production') AS deployed
  FROM deployments
), (
  SELECT count(*) AS pulls, count(merged) AS merged, max(merged) AS last_merged, count(merged) FILTER (
    WHERE repo IN (SELECT repo FROM deployments WHERE environment = 'production')
      OR list_filter(labels, lambda l: starts_with(lower(l), 'deployment:') AND lower(l) <> 'deployment:none')[1] IS NOT NULL
  ) AS merged_where_deployed
  FROM pull_requests
), (
  SELECT count(*) AS items, count(*) FILTER (WHERE type = 'incident') AS incidents FROM work_items
), (
  SELECT count(*) AS incidents_of_services
  FROM incidents
  WHERE service IN (SELECT coalesce(service, repo) FROM deployments WHERE environment = 'production')
)
