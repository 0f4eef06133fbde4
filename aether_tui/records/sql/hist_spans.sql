-- Latency and time to first token of model calls, by model.
SELECT day, kind, segment, bucket, count(*) AS n
FROM (
    SELECT {day(start)} AS day, 'llm_latency' AS kind, coalesce(model, '') AS segment, {log_bucket(duration_s)} AS bucket
    FROM {spans} WHERE {model_call} AND duration_s IS NOT NULL AND start IS NOT NULL
    UNION ALL
    SELECT {day(start)}, 'first_token', coalesce(model, ''), {log_bucket(time_to_first_token_s)}
    FROM {spans} WHERE {model_call} AND time_to_first_token_s IS NOT NULL AND start IS NOT NULL
) AS measured
GROUP BY 1, 2, 3, 4
