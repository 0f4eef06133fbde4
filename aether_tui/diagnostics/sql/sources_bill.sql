-- Model cost by traces beside the bill of model providers, over the days from the first to the last that both have.
-- A charge is a model provider's by its FOCUS service category, or by the name of provider or service.
WITH bill AS (
  SELECT date_trunc('day', charge_start) AS day, sum(billed_cost) AS usd
  FROM costs
  WHERE charge_start >= $since AND charge_start < $until AND currency = 'USD'
    AND coalesce(charge_category, 'Usage') = 'Usage'
    AND (service_category = 'AI and Machine Learning' OR regexp_matches(
      lower(coalesce(provider, '') || ' ' || coalesce(source_service, '')),
      'openai|anthropic|mistral|cohere|groq|fireworks|deepseek|together ai|\bxai\b|x\.ai|bedrock|vertex ai'))
  GROUP BY 1
), traced AS (
  SELECT date_trunc('day', hour) AS day, sum(cost_usd) AS usd, sum(calls) AS calls, sum(calls - costed_calls) AS unpriced
  FROM llm_hourly
  WHERE hour >= $since AND hour < $until
  GROUP BY 1
), days AS (
  SELECT greatest((SELECT min(day) FROM bill), (SELECT min(day) FROM traced)) AS first_day,
    least((SELECT max(day) FROM bill), (SELECT max(day) FROM traced)) AS last_day,
    EXISTS (FROM bill) AS billed_at_all
)
SELECT first_day, last_day, billed_at_all,
  (SELECT sum(usd) FROM bill WHERE day BETWEEN first_day AND last_day) AS billed_usd,
  (SELECT sum(usd) FROM traced WHERE day BETWEEN first_day AND last_day) AS traced_usd,
  (SELECT sum(calls) FROM traced) AS calls,
  (SELECT sum(unpriced) FROM traced) AS unpriced
FROM days
