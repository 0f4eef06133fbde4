-- Duration of traces, by scenario or else feature.
SELECT {day(start)} AS day, 'task_latency' AS kind, coalesce(scenario, feature, '') AS segment,
    took AS bucket, count(*) AS n
FROM {tasks}
GROUP BY 1, 2, 3, 4
