-- Steps of tasks by the hour the task began. A step is a model call, a tool call or a retrieval; where a task has no call at all, every
-- span is one. Touch: its duration less the steps directly inside it. Wait: since the last step before it ended, or the task began.
-- An error was retried when the next step is the same one. A failed task failed at its first error, else at its last step.
WITH known AS (
    SELECT source, trace_id, span_id, parent_id, {us(start)} AS begun, {us(start)} + {duration_us(duration_s)} AS ended,
        status, name, prompt_name, model, CASE WHEN {model_call} THEN cost_usd END AS cost_usd,
        {model_call} AND cost_usd IS NULL AND NOT {failed_free} AS unpriced,
        {model_call} AS calls, {step} AS known, lower(coalesce(operation, '')) AS operation
    FROM {spans}
    WHERE start IS NOT NULL
), step AS (
    SELECT s.source AS source, s.trace_id AS trace_id, s.span_id AS span_id, s.parent_id AS parent_id, s.begun AS begun, s.ended AS ended,
        coalesce(s.status, '') = 'error' AS failed, s.cost_usd AS cost_usd, s.unpriced AS unpriced,
        t.start AS task_start, t.environment AS environment, t.service AS service, t.feature AS feature, t.team AS team,
        t.task_cluster AS task_cluster, coalesce(t.outcome, '') = 'failure' AS lost,
        CASE WHEN s.calls AND s.operation = '' THEN 'chat' WHEN s.operation = '' THEN 'span' ELSE s.operation END AS operation,
        CASE WHEN s.calls THEN coalesce(s.prompt_name, a.name, s.model, '') ELSE coalesce(s.name, '') END AS name
    FROM known AS s
    JOIN {tasks} AS t ON t.source = s.source AND t.trace_id = s.trace_id
    LEFT JOIN (SELECT source, trace_id, span_id, name FROM {spans} WHERE start IS NOT NULL AND lower(coalesce(operation, '')) IN ('invoke_agent', 'agent')) AS a
        ON a.source = s.source AND a.trace_id = s.trace_id AND a.span_id = s.parent_id
    WHERE s.known OR t.calls + t.tool_calls = 0
), inner_time AS (
    SELECT c.source AS source, c.trace_id AS trace_id, c.parent_id AS parent_id, sum(c.ended - c.begun) AS inside
    FROM step AS c
    WHERE c.parent_id IS NOT NULL
    GROUP BY 1, 2, 3
), ordered AS (
    SELECT s.source AS source, s.trace_id AS trace_id, s.task_start AS task_start, s.environment AS environment, s.service AS service,
        s.feature AS feature, s.team AS team, s.task_cluster AS task_cluster, s.operation AS operation, s.name AS name,
        s.failed AS failed, s.lost AS lost, s.cost_usd AS cost_usd, s.unpriced AS unpriced, greatest(s.ended - s.begun - coalesce(i.inside, 0), 0) AS touch,
        row_number() OVER along AS place,
        lead({nullable(s.name)}) OVER along AS next_name,
        coalesce(max(CASE WHEN s.failed THEN 1 END) OVER (along ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS failed_before,
        lead({nullable(s.operation)}) OVER along AS next_operation,
        greatest(s.begun - coalesce(max({nullable(s.ended)}) OVER (along ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), {us(s.task_start)}), 0) AS waited
    FROM step AS s
    LEFT JOIN inner_time AS i ON i.source = s.source AND i.trace_id = s.trace_id AND i.parent_id = s.span_id
    WINDOW along AS (PARTITION BY s.source, s.trace_id ORDER BY s.begun, s.ended DESC, s.span_id)
), summed AS (
    SELECT {hour(o.task_start)} AS hour, o.environment AS environment, o.service AS service, o.feature AS feature, o.team AS team,
        o.task_cluster AS task_cluster, o.operation AS operation, o.name AS name,
        count(*) AS visits,
        sum(CASE WHEN o.failed THEN 1 ELSE 0 END) AS errors,
        sum(CASE WHEN o.failed AND o.next_name = o.name AND o.next_operation = o.operation THEN 1 ELSE 0 END) AS retried,
        sum(CASE WHEN o.lost AND o.failed_before = 0 AND (o.failed OR o.next_name IS NULL) THEN 1 ELSE 0 END) AS lost,
        sum(CASE WHEN o.lost AND o.failed_before = 0 AND o.failed THEN 1 ELSE 0 END) AS lost_by_error,
        sum(o.place) AS places, sum(o.touch) AS touch, sum(o.waited) AS waited, sum(o.cost_usd) AS cost_usd,
        count(o.cost_usd) AS with_cost,
        sum(CASE WHEN o.unpriced THEN 1 ELSE 0 END) AS unpriced_visits
    FROM ordered AS o
    GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
)
SELECT hour, environment, service, feature, team, task_cluster, operation, operation || ' ' || {step_name(operation, name)} AS step,
    sum(visits) AS visits, sum(errors) AS errors, sum(retried) AS retried, sum(lost) AS lost, sum(lost_by_error) AS lost_by_error,
    sum(places) AS places, sum(touch) / 1e6 AS touch_s_sum, sum(waited) / 1e6 AS wait_s_sum, sum(cost_usd) AS cost_usd,
    sum(unpriced_visits) AS unpriced_visits, sum(with_cost) AS with_cost
FROM summed
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
