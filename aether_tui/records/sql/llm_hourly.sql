-- Model calls by hour. A call that failed without using tokens cost nothing, so it counts as costed.
SELECT {hour(start)} AS hour, environment, service, feature, team, provider, model,
    count(*) AS calls,
    sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,
    sum(input_tokens) AS input_tokens,
    sum(output_tokens) AS output_tokens,
    sum(cached_tokens) AS cached_tokens,
    sum(reasoning_tokens) AS reasoning_tokens,
    sum(cost_usd) AS cost_usd,
    sum(CASE WHEN cost_usd IS NOT NULL OR {failed_free} THEN 1 ELSE 0 END) AS costed_calls,
    sum(CASE WHEN feature IS NOT NULL AND team IS NOT NULL THEN cost_usd END) AS cost_attributed_usd
FROM {spans}
WHERE {model_call} AND start IS NOT NULL
GROUP BY 1, 2, 3, 4, 5, 6, 7
