-- How many rows are left after each step that a number needs, over all time: where the first zero stands, its panel is empty.
SELECT (SELECT count(*) FROM pipeline_runs) AS runs, (SELECT count(*) FROM test_runs) AS tests, (SELECT count(*) FROM costs) AS charges,
  (SELECT count(*) FROM product_metrics) AS usage,
  (SELECT count(*) FROM (SELECT day FROM flow_daily UNION SELECT day FROM delivery_daily UNION SELECT day FROM cost_daily
    UNION SELECT day FROM ci_daily UNION SELECT day FROM tests_daily UNION SELECT day FROM coverage_daily)) AS days
