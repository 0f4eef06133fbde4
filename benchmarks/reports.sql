-- Rows of the benchmark of reports: items and their history over two years, traces and what is rolled up of them over one.
INSERT INTO work_items BY NAME
SELECT 'linear' AS source, 'i' || i AS id, 'ENG-' || i AS key, 'Item ' || i AS title, mapping_hash,
  CASE WHEN i % 40 = 0 THEN 'incident' WHEN i % 5 = 0 THEN 'bug' ELSE 'feature' END AS type, 'team' || i % 20 AS team, 'f' || i % 12 AS feature,
  'p' || i % 30 AS project, ['service:svc' || i % 15] AS labels, created, created + to_days(12) AS updated,
  CASE WHEN i > $items * 39 // 40 THEN 'active' ELSE 'done' END AS category, CASE WHEN i > $items * 39 // 40 THEN 'Doing' ELSE 'Done' END AS state,
  CASE WHEN i <= $items * 39 // 40 AND i % 40 = 0 THEN created + to_hours(CAST(1 + hash(i) % 9 AS INTEGER)) END AS completed
FROM (SELECT i, 'm' AS mapping_hash, TIMESTAMP '2024-11-21' + to_microseconds(i * (730 * 86400000000 // $items)) AS created
  FROM range(1, $items + 1) t(i));

INSERT INTO work_transitions BY NAME
SELECT 'linear' AS source, 'm' AS mapping_hash, 'i' || i AS item_id, created + to_seconds(CAST(step * (3600 + hash(i) % 200000) AS BIGINT)) AS "at",
  ['Todo', 'Doing', 'Review', 'Doing', 'Done'][step] AS to_state, CASE WHEN step > 1 THEN ['Todo', 'Doing', 'Review', 'Doing'][step - 1] END AS from_state,
  ['queue', 'active', 'wait', 'active', 'done'][step] AS to_category,
  CASE WHEN step > 1 THEN ['queue', 'active', 'wait', 'active'][step - 1] END AS from_category,
  ['ideation', 'build', 'build', 'build', 'learn'][step] AS to_phase, 'p' || (i + step) % 50 AS actor
FROM (SELECT i, TIMESTAMP '2024-11-21' + to_microseconds(i * (730 * 86400000000 // $items)) AS created FROM range(1, $items + 1) t(i)),
  (SELECT unnest([1, 2, 3, 4, 5]) AS step)
WHERE NOT (i > $items * 39 // 40 AND step = 5);

INSERT INTO tasks BY NAME
SELECT 'otlp' AS source, md5(i::VARCHAR) AS trace_id, i AS trace_number,
  TIMESTAMP '2025-11-21' + to_microseconds(i * ($days * 86400000000 // $tasks)) AS start, 1 + hash(i) % 400 / 10 AS duration_s, 3 AS turns, 4 AS calls,
  2 AS tool_calls, CASE WHEN hash(i) % 60 = 0 THEN 1 ELSE 0 END AS errors, 900 AS input_tokens, 100 AS output_tokens, 1000 AS tokens,
  0.001 * (hash(i) % 90) AS cost_usd, 0 AS unpriced_calls, CASE WHEN hash(i) % 60 = 0 THEN 'error' ELSE 'ok' END AS status,
  CASE WHEN hash(i) % 3 > 0 THEN CASE WHEN hash(i) % 7 = 0 THEN 'failure' ELSE 'success' END END AS outcome, 'c' || hash(i) % 12 AS task_cluster,
  's' || hash(i) % 6 AS scenario, 'f' || hash(i) % 12 AS feature, 'team' || hash(i) % 5 AS team, 'production' AS environment,
  'svc' || hash(i) % 4 AS service, 'm' || hash(i) % 4 AS model, true AS rooted
FROM range($tasks) t(i);

INSERT INTO llm_hourly BY NAME
SELECT date_trunc('hour', start) AS hour, environment, service, feature, team, 'acme' AS provider, model, 4 * count(*) AS calls, sum(errors) AS errors,
  sum(input_tokens) AS input_tokens, sum(output_tokens) AS output_tokens, 0 AS cached_tokens, 0 AS reasoning_tokens, sum(cost_usd) AS cost_usd,
  4 * count(*) AS costed_calls, sum(cost_usd) AS cost_attributed_usd
FROM tasks GROUP BY ALL;

INSERT INTO coverage_daily BY NAME
SELECT date_trunc('day', hour) AS day, environment, feature, sum(calls) AS calls, sum(calls) AS with_model, sum(calls) AS with_input_tokens,
  sum(calls) AS with_output_tokens, sum(calls) AS with_latency, sum(calls) AS with_first_token, sum(calls) AS with_cost, sum(calls) AS with_feature,
  sum(calls) AS with_team, 0 AS with_user, 0 AS with_prompt_version
FROM llm_hourly GROUP BY ALL;

INSERT INTO steps_hourly BY NAME
SELECT date_trunc('hour', start) AS hour, environment, service, feature, team, task_cluster, op AS operation, op AS step, count(*) AS visits,
  sum(errors) AS errors, 0 AS retried, 0 AS lost, 0 AS lost_by_error, 0 AS places, sum(duration_s) AS touch_s_sum, 0.1 * count(*) AS wait_s_sum,
  sum(cost_usd) AS cost_usd, 0 AS unpriced_visits
FROM tasks, (SELECT unnest(['chat', 'execute_tool']) AS op) GROUP BY ALL;

INSERT INTO duration_hist BY NAME
SELECT date_trunc('day', start) AS day, 'tasks' AS kind, feature AS segment, CAST(floor(ln(duration_s) / ln(1.02)) AS INTEGER) AS bucket, count(*) AS n
FROM tasks GROUP BY ALL;

INSERT INTO pull_requests BY NAME
SELECT 'github' AS source, 'm' AS mapping_hash, 'acme/svc' || i % 15 AS repo, i AS number, 'merged' AS state, merged - to_hours(20) AS created,
  merged - to_hours(CAST(30 + hash(i) % 60 AS INTEGER)) AS first_commit, merged - to_hours(9) AS first_review, merged, merged AS updated,
  'sha' || i AS merge_sha, 'svc' || i % 15 AS service, 'team' || i % 20 AS team
FROM (SELECT i, TIMESTAMP '2025-11-21' + to_microseconds(i * ($days * 86400000000 // $pulls)) AS merged FROM range($pulls) t(i));

INSERT INTO deployments BY NAME
SELECT 'github' AS source, 'm' AS mapping_hash, 'd' || i AS id, 'acme/svc' || i % 15 AS repo, 'svc' || i % 15 AS service, 'team' || i % 20 AS team,
  moment AS started, moment + to_minutes(8) AS finished, moment AS updated, 'production' AS environment, CASE WHEN i % 12 = 0 THEN 'failure' ELSE 'success' END AS result,
  CASE WHEN i % 15 = 1 THEN 'rollback' ELSE 'planned' END AS reason
FROM (SELECT i, TIMESTAMP '2025-11-21' + to_microseconds(i * ($days * 86400000000 // $pulls)) AS moment FROM range($pulls) t(i));

INSERT INTO pipeline_runs BY NAME
SELECT 'github' AS source, 'm' AS mapping_hash, 'r' || i AS id, 1 AS attempt, 'acme/svc' || i % 15 AS repo, 'ci' AS workflow, 'main' AS branch, moment AS created,
  moment AS started, moment + to_minutes(9) AS finished, moment AS updated, 300.0 + hash(i) % 500 AS wall_s, 300.0 + hash(i) % 500 AS run_s, 10.0 AS queue_s,
  'success' AS result, 'svc' || i % 15 AS service, 'team' || i % 20 AS team
FROM (SELECT i, TIMESTAMP '2025-11-21' + to_microseconds(i * ($days * 86400000000 // ($pulls * 5))) AS moment FROM range($pulls * 5) t(i));

INSERT INTO costs BY NAME
SELECT 'focus' AS source, 'm' AS mapping_hash, 'c' || i AS row_hash, moment AS charge_start, moment + to_days(1) AS charge_end, 0.5 + hash(i) % 90 AS billed_cost,
  'USD' AS currency, 'Usage' AS charge_category, 'cloud' AS provider, 'svc' || i % 15 AS service, 'team' || i % 20 AS team, 'production' AS environment
FROM (SELECT i, TIMESTAMP '2025-11-21' + to_days(CAST(i % $days AS INTEGER)) AS moment FROM range($pulls * 5) t(i));
