-- Model cost by traces beside the bill of model providers, over the billed days from the first to the last that both have.
-- A charge is a model provider's by its FOCUS service category, or by the name of provider or service; one for several days (a
-- month, often) counts for each of them alike, as a decimal: sums do not hang on the order of rows. Days with traces that nobody
-- billed are counted, not compared.
WITH charges AS (
  SELECT date_trunc('day', charge_start) AS first,
    greatest(charge_start, least(coalesce(charge_end, charge_start), charge_start + INTERVAL 366 DAY) - INTERVAL 1 MICROSECOND) AS last, billed_cost, currency
  FROM costs
  WHERE charge_start < $until AND (charge_start >= $since OR charge_end > $since)
    AND coalesce(charge_category, 'Usage') = 'Usage'
    AND (service_category = 'AI and Machine Learning' OR regexp_matches(
      lower(coalesce(provider, '') || ' ' || coalesce(source_service, '')),
      'openai|anthropic|mistral|cohere|groq|fireworks|deepseek|together ai|\bxai\b|x\.ai|bedrock|vertex ai'))
), bill AS (
  SELECT day, sum(usd) AS usd
  FROM (
    SELECT unnest(days) AS day, CAST(billed_cost / len(days) AS DECIMAL(38, 12)) AS usd
    FROM (SELECT generate_series(first, last, INTERVAL 1 DAY) AS days, billed_cost FROM charges WHERE currency = 'USD')
  )
  WHERE day >= date_trunc('day', CAST($since AS TIMESTAMP)) AND day < $until
  GROUP BY day
), traced AS (
  SELECT date_trunc('day', hour) AS day, sum(cost_usd) AS usd, sum(calls) AS calls, sum(calls - costed_calls) AS unpriced
  FROM llm_hourly
  WHERE hour >= $since AND hour < $until
  GROUP BY 1
), days AS (
  SELECT greatest((SELECT min(day) FROM bill), (SELECT min(day) FROM traced)) AS first_day,
    least((SELECT max(day) FROM bill), (SELECT max(day) FROM traced)) AS last_day,
    EXISTS (FROM bill) AS billed_at_all,
    (SELECT string_agg(DISTINCT currency, ', ' ORDER BY currency) FROM charges WHERE currency <> 'USD') AS other_currencies
)
SELECT first_day, last_day, billed_at_all, other_currencies,
  (SELECT sum(usd) FROM bill WHERE day BETWEEN first_day AND last_day) AS billed_usd,
  (SELECT sum(usd) FROM traced WHERE day BETWEEN first_day AND last_day AND day IN (SELECT day FROM bill)) AS traced_usd,
  (SELECT count(*) FROM traced WHERE day BETWEEN first_day AND last_day AND day IN (SELECT day FROM bill)) AS common_days,
  (SELECT count(*) FROM traced WHERE day BETWEEN first_day AND last_day AND day NOT IN (SELECT day FROM bill)) AS unbilled_days,
  (SELECT sum(calls) FROM traced) AS calls,
  (SELECT sum(unpriced) FROM traced) AS unpriced
FROM days
