-- Cost of the requests at the given ranks, cheapest first, and the share of all cost up to each.
WITH ordered AS (
  SELECT cost_usd, row_number() OVER w AS rank, sum(cost_usd) OVER (w ROWS UNBOUNDED PRECEDING) AS up_to,
    sum(cost_usd) OVER () AS total
  FROM tasks
  WHERE start >= $from_day AND start < $until_day AND cost_usd IS NOT NULL AND unpriced_calls = 0
    AND ($live::VARCHAR IS NULL OR environment = $live) AND ($feature::VARCHAR IS NULL OR feature = $feature)
  WINDOW w AS (ORDER BY cost_usd)
)
SELECT rank, cost_usd AS cost, CASE WHEN total > 0 THEN up_to / total END AS share
FROM ordered
WHERE list_contains($ranks::BIGINT[], rank)
ORDER BY rank
