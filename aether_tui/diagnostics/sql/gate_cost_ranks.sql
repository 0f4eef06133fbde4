-- Cost of the requests at the given ranks, cheapest first, and the share of all cost up to each: of requests that cost the same,
-- how many there are and what they cost together.
WITH same AS (
  SELECT cost_usd, count(*) AS n
  FROM tasks
  WHERE start >= $from_day AND start < $until_day AND cost_usd IS NOT NULL AND unpriced_calls = 0
    AND ($live::VARCHAR IS NULL OR environment = $live) AND ($feature::VARCHAR IS NULL OR feature = $feature)
  GROUP BY cost_usd
), ordered AS (
  SELECT cost_usd, sum(n) OVER w AS last, sum(n) OVER w - n AS before, sum(n * cost_usd) OVER w - n * cost_usd AS cost_before,
    sum(n * cost_usd) OVER () AS total
  FROM same
  WINDOW w AS (ORDER BY cost_usd)
)
SELECT rank, cost_usd AS cost, CASE WHEN total > 0 THEN (cost_before + (rank - before) * cost_usd) / total END AS share
FROM (SELECT unnest($ranks::BIGINT[]) AS rank) JOIN ordered ON rank > before AND rank <= last
ORDER BY rank
