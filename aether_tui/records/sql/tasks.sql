-- One row per trace. Dimensions come from the root span where it has them, else from any span; `min` makes ties repeatable.
-- A trace failed when its root did; without a root, when any span did.
-- What reports count tasks by stands beside them as numbers: `kind` for all attributes, `took` for the duration in 2 % buckets.
SELECT *, {kind(feature, team, model, environment, scenario, task_cluster, status)} AS kind, {took(duration_s)} AS took
FROM (
    SELECT source, trace_id,
        {id_number(trace_id)} AS trace_number,
        min(start) AS start,
        (max({us(start)} + {duration_us(duration_s)}) - min({us(start)})) / 1e6 AS duration_s,
        sum(CASE WHEN {model_call} AND NOT {embedding} THEN 1 ELSE 0 END) AS turns,
        sum(CASE WHEN {model_call} THEN 1 ELSE 0 END) AS calls,
        sum(CASE WHEN {tool_call} THEN 1 ELSE 0 END) AS tool_calls,
        sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) AS errors,
        sum(CASE WHEN {model_call} THEN input_tokens END) AS input_tokens,
        sum(CASE WHEN {model_call} THEN output_tokens END) AS output_tokens,
        sum(CASE WHEN {model_call} AND (input_tokens IS NOT NULL OR output_tokens IS NOT NULL)
            THEN coalesce(input_tokens, 0) + coalesce(output_tokens, 0) END) AS tokens,
        sum(CASE WHEN {model_call} THEN cost_usd END) AS cost_usd,
        sum(CASE WHEN {model_call} AND cost_usd IS NULL AND NOT {failed_free} THEN 1 ELSE 0 END) AS unpriced_calls,
        CASE
            WHEN sum(CASE WHEN parent_id IS NULL THEN 1 ELSE 0 END) > 0
                THEN CASE WHEN sum(CASE WHEN parent_id IS NULL AND status = 'error' THEN 1 ELSE 0 END) > 0
                    THEN 'error' ELSE 'ok' END
            WHEN sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END) > 0 THEN 'error'
            ELSE 'ok'
        END AS status,
        {of_root(outcome)} AS outcome,
        {of_root(task_cluster)} AS task_cluster,
        {of_root(scenario)} AS scenario,
        {of_root(feature)} AS feature,
        {of_root(team)} AS team,
        {of_root(environment)} AS environment,
        {of_root(service)} AS service,
        {first_of(CASE WHEN {model_call} THEN model END)} AS model,
        sum(CASE WHEN parent_id IS NULL THEN 1 ELSE 0 END) > 0 AS rooted
    FROM {spans}
    WHERE start IS NOT NULL
    GROUP BY 1, 2
)
