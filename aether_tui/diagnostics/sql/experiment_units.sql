-- One row per arm of an experiment whose arms are given to units (customers): per metric the ratio of sums over units, and the
-- standard deviation between units by which it is known (delta method: Deng et al. 2018, KDD, "Applying the Delta Method in Metric
-- Analytics", eq. 2; Cochran 1977, ch. 6). A unit seen in two arms counts in none, a task without a unit neither.
WITH said AS (
  SELECT source, trace_id, list_filter(
      list_transform($attributes::VARCHAR[], lambda a: json_extract_string(attributes, '$."' || a || '"')),
      lambda v: v IS NOT NULL)[1] AS arm,
    CASE WHEN $unit = 'user' THEN "user" ELSE json_extract_string(attributes, '$."' || $unit || '"') END AS unit
  FROM spans WHERE start >= $from_at AND start < $to_at AND (attributes IS NOT NULL OR "user" IS NOT NULL)
), traces AS (
  SELECT source, trace_id, min(arm) AS arm, min(unit) AS unit FROM said
  GROUP BY 1, 2 HAVING count(DISTINCT arm) = 1 AND count(DISTINCT unit) = 1 AND min(arm) IN ($control, $treatment)
), whole AS (
  SELECT unit, min(arm) AS arm FROM traces GROUP BY 1 HAVING count(DISTINCT arm) = 1
), values AS (
  SELECT whole.arm, unit, task.* FROM whole JOIN traces USING (unit) JOIN tasks AS task USING (source, trace_id)
  WHERE ($of_feature = '' OR feature = $of_feature) AND ($of_cluster = '' OR task_cluster = $of_cluster)
    AND ($of_environment = '' OR environment = $of_environment)
), long AS (
  SELECT arm, unit, unnest([
    {'measure': 'success', 'value': CASE outcome WHEN 'success' THEN 1.0 WHEN 'failure' THEN 0.0 END},
    {'measure': 'errors', 'value': CASE status WHEN 'error' THEN 1.0 ELSE 0.0 END},
    {'measure': 'cost', 'value': CASE WHEN unpriced_calls = 0 THEN cost_usd::DOUBLE END},
    {'measure': 'latency', 'value': duration_s::DOUBLE},
    {'measure': 'tokens', 'value': tokens::DOUBLE}]) AS one
  FROM values
), units AS (
  SELECT arm, one.measure AS measure, unit, sum(one.value) AS total, count(one.value) AS n FROM long
  WHERE one.value IS NOT NULL GROUP BY 1, 2, 3
), ratios AS (
  SELECT *, sum(total) OVER of_arm / sum(n) OVER of_arm AS ratio, sum(n) OVER of_arm AS tasks FROM units
  WINDOW of_arm AS (PARTITION BY arm, measure)
)
SELECT arm, measure, count(*) AS n, any_value(tasks) AS tasks, any_value(ratio) AS mean,
  sqrt(sum((total - ratio * n) ** 2) / nullif(count(*) - 1, 0)) / avg(n) AS sd
FROM ratios GROUP BY 1, 2
ORDER BY 1, 2
