-- What was sent again: one run, or the newest of the window.
SELECT id, run, "at", trace_id, span_id, "repeat", model, recorded_model, prompt_version, same_input, status, error, finish,
  input_tokens, output_tokens, CAST(cost_usd AS DOUBLE) AS cost_usd, latency_s, output, likeness, recorded_input_tokens,
  recorded_output_tokens, CAST(recorded_cost_usd AS DOUBLE) AS recorded_cost_usd, recorded_latency_s
FROM replays
WHERE ($run::VARCHAR IS NULL AND "at" >= $since AND "at" <= $now) OR run = $run
ORDER BY "at" DESC, id
LIMIT 20000
