-- Which required fields model calls carry. Calls that failed without using tokens have nothing to carry and are left out.
SELECT {day(start)} AS day, environment, feature,
    count(*) AS calls,
    count(model) AS with_model,
    count(input_tokens) AS with_input_tokens,
    count(output_tokens) AS with_output_tokens,
    count(duration_s) AS with_latency,
    count(time_to_first_token_s) AS with_first_token,
    count(cost_usd) AS with_cost,
    count(feature) AS with_feature,
    count(team) AS with_team,
    count("user") AS with_user,
    count(prompt_version) AS with_prompt_version
FROM {spans}
WHERE {model_call} AND NOT {failed_free} AND start IS NOT NULL
GROUP BY 1, 2, 3
