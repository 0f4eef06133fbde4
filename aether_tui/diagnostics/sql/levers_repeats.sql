-- Requests that had been asked before, word by word: all of them, and those within an hour of the same one.
WITH asked AS (
  SELECT source, trace_id, min(start) AS start, arg_min(request_hash, start) AS request_hash
  FROM spans
  WHERE start >= $since AND start < $until AND request_hash IS NOT NULL AND ($live::VARCHAR IS NULL OR environment = $live)
  GROUP BY 1, 2
), timed AS (
  SELECT t.feature, t.cost_usd, a.start - lag(a.start) OVER (PARTITION BY t.feature, a.request_hash ORDER BY a.start, t.trace_number, a.trace_id) AS gap
  FROM asked AS a JOIN tasks AS t ON t.source = a.source AND t.trace_id = a.trace_id AND t.start >= $since::TIMESTAMP - INTERVAL 1 DAY
  WHERE ($feature::VARCHAR IS NULL OR t.feature = $feature)
)
SELECT coalesce(feature, 'no feature') AS feature, count(*) AS n, count(gap) AS repeats,
  coalesce(sum(cost_usd) FILTER (WHERE gap IS NOT NULL), 0) AS cost,
  coalesce(sum(cost_usd) FILTER (WHERE gap <= INTERVAL 1 HOUR), 0) AS soon
FROM timed
GROUP BY 1
ORDER BY 4 DESC, 1
