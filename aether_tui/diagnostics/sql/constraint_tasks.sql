-- One row over all tasks with a model call: latency, outcomes, cost; then failures of the slowest tenth against the rest: of those that
-- say how they ended, the ones that took longer than nine tenths of them. Of more than 20,000 tasks, durations are those of 2 % buckets,
-- at their geometric midpoint. Cost is of tasks whose calls all have a price (`priced` of the successes).
WITH task AS NOT MATERIALIZED (
  SELECT took, duration_s, outcome, cost_usd, unpriced_calls
  FROM tasks
  WHERE start >= $since AND start < $until AND calls > 0 AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
), counted AS MATERIALIZED (
  SELECT coalesce(sum(tasks), 0) AS n, coalesce(sum(tasks) > 20000, FALSE) AS many,
    coalesce(sum(tasks) FILTER (outcome IS NOT NULL), 0) AS with_outcome, coalesce(sum(tasks) FILTER (outcome = 'success'), 0) AS successes,
    coalesce(sum(tasks) FILTER (outcome = 'failure'), 0) AS failures,
    sum(cost_usd) FILTER (outcome IS NOT NULL) AS cost_known, coalesce(sum(unpriced_calls) > 0, FALSE) AS unpriced
  FROM {requests($since, $until)} AS request
  WHERE called AND ($live::VARCHAR IS NULL OR environment = $live)
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
), summed AS MATERIALIZED (
  SELECT CASE WHEN took > -10000 THEN pow(1.02, took + 0.5) ELSE 0 END AS took_s, n, told, failed
  FROM (
    SELECT took, count(*) AS n, count(outcome) AS told, count(*) FILTER (outcome = 'failure') AS failed
    FROM task
    WHERE took IS NOT NULL AND (SELECT many FROM counted)
    GROUP BY took
  )
  UNION ALL
  SELECT duration_s, count(*), count(outcome), count(*) FILTER (outcome = 'failure')
  FROM task
  WHERE duration_s IS NOT NULL AND NOT (SELECT many FROM counted)
  GROUP BY 1
), latency AS MATERIALIZED (
  SELECT min(took_s) FILTER (up_to >= ceil(0.5 * every)) AS latency_p50, min(took_s) FILTER (up_to >= ceil(0.99 * every)) AS latency_p99,
    min(took_s) FILTER (every_told > 0 AND told_to >= ceil(0.9 * every_told)) AS told_p90
  FROM (
    SELECT took_s, sum(n) OVER upward AS up_to, sum(n) OVER () AS every, sum(told) OVER upward AS told_to, sum(told) OVER () AS every_told
    FROM summed
    WINDOW upward AS (ORDER BY took_s)
  )
), slow AS (
  SELECT coalesce(sum(told), 0) AS n, coalesce(sum(failed), 0) AS failed FROM summed WHERE took_s > (SELECT told_p90 FROM latency)
), partly AS (
  SELECT count(*) FILTER (outcome = 'success') AS successes, coalesce(sum(cost_usd), 0) AS cost
  FROM task
  WHERE unpriced_calls > 0 AND outcome IS NOT NULL AND (SELECT unpriced FROM counted)
)
SELECT counted.n, many, latency_p50, latency_p99, told_p90, with_outcome, counted.successes,
  counted.successes - partly.successes AS priced, cost_known - partly.cost AS cost_known,
  slow.n AS slow, slow.failed AS slow_failed, with_outcome - slow.n AS rest, failures - slow.failed AS rest_failed
FROM counted, latency, slow, partly
