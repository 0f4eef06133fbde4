-- Which traces carry a request category, an outcome and a root span.
SELECT {day(start)} AS day, environment, feature,
    count(*) AS tasks,
    count(task_cluster) AS with_cluster,
    count(outcome) AS with_outcome,
    sum(CASE WHEN rooted THEN 1 ELSE 0 END) AS with_root
FROM {tasks}
GROUP BY 1, 2, 3
