-- Requests by all that is said of them: how many carry a category, an outcome and a root span, their calls, tokens and cost.
SELECT {day(start)} AS day, environment, service, feature, team, model, scenario, task_cluster, status, outcome, calls > 0 AS called,
    count(*) AS tasks,
    count(task_cluster) AS with_cluster,
    count(outcome) AS with_outcome,
    sum(CASE WHEN rooted THEN 1 ELSE 0 END) AS with_root,
    sum(calls) AS calls,
    sum(turns) AS turns,
    sum(tokens) AS tokens,
    count(tokens) AS with_tokens,
    sum(cost_usd) AS cost_usd,
    count(cost_usd) AS with_cost,
    sum(unpriced_calls) AS unpriced_calls
FROM {tasks}
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
