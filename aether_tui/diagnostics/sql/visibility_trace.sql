-- Model calls with model, both token counts and latency: per day the rarest of the four.
SELECT day, least(sum(with_model), sum(with_input_tokens), sum(with_output_tokens), sum(with_latency)) AS k, sum(calls) AS n
FROM coverage_daily
WHERE day >= $before AND day < $until AND ($live::VARCHAR IS NULL OR environment = $live)
  AND ($feature::VARCHAR IS NULL OR feature = $feature)
GROUP BY day
ORDER BY ALL
