-- How many rows are left after each step that a number needs, over all time: where the first zero stands, its panel is empty.
SELECT
  (SELECT count(*) FROM work_items) AS items,
  (SELECT count(*) FROM work_items WHERE category IS NOT NULL) AS items_mapped,
  (SELECT count(*) FROM work_transitions) AS transitions,
  (SELECT count(*) FROM flow_items WHERE started IS NOT NULL) AS items_started,
  (SELECT count(*) FROM flow_items WHERE completed IS NOT NULL) AS items_completed,
  (SELECT count(*) FROM flow_items WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore')) AS bets,
  (SELECT count(*) FROM flow_items WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore') AND least(ideation_at, validation_at,
    specification_at, build_at, release_at, measure_at, learn_at) IS NOT NULL) AS bets_phased,
  (SELECT count(*) FROM deployments) AS deployments,
  (SELECT count(*) FROM deployments WHERE environment = 'production') AS production,
  (SELECT count(*) FROM deployments WHERE environment = 'production' AND result = 'success') AS succeeded,
  (SELECT count(*) FROM pull_requests) AS pulls,
  (SELECT count(*) FROM pull_requests WHERE merged IS NOT NULL) AS merged,
  (SELECT count(*) FROM pull_requests WHERE merged IS NOT NULL AND repo IN (SELECT repo FROM deployments WHERE environment = 'production'))
    AS merged_where_deployed,
  (SELECT count(*) FROM incidents) AS incidents,
  (SELECT count(*) FROM incidents WHERE service IN (SELECT coalesce(service, repo) FROM deployments WHERE environment = 'production'))
    AS incidents_of_services,
  (SELECT count(*) FROM pipeline_runs) AS runs,
  (SELECT count(*) FROM test_runs) AS tests,
  (SELECT count(*) FROM tasks) AS traces,
  (SELECT count(*) FROM tasks WHERE calls > 0) AS traces_with_calls,
  (SELECT count(*) FROM tasks WHERE outcome IS NOT NULL) AS traces_with_outcome,
  (SELECT count(*) FROM costs) AS charges,
  (SELECT count(*) FROM product_metrics) AS usage
ORDER BY ALL
