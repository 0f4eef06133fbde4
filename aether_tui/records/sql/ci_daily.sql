-- CI runs that ended by themselves; cancelled, skipped and running ones are counted apart.
SELECT {day(created)} AS day, repo, workflow, branch, event,
    sum(CASE WHEN {counted_run} THEN 1 ELSE 0 END) AS runs,
    sum(CASE WHEN result IN ('failure', 'timed_out') THEN 1 ELSE 0 END) AS failures,
    sum(CASE WHEN {counted_run} THEN 0 ELSE 1 END) AS excluded,
    {exact_sum(CASE WHEN {counted_run} THEN run_s END)} AS run_s_sum,
    {exact_sum(CASE WHEN {counted_run} THEN queue_s END)} AS queue_s_sum,
    {exact_sum(CASE WHEN {counted_run} THEN wall_s END)} AS wall_s_sum
FROM {pipeline_runs}
WHERE created IS NOT NULL
GROUP BY 1, 2, 3, 4, 5
