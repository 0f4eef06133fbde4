-- Durations of CI runs that ended by themselves, by repository and workflow.
SELECT day, kind, segment, bucket, count(*) AS n
FROM (
    SELECT {day(created)} AS day, 'ci_run' AS kind, {segment(repo, workflow)} AS segment, {log_bucket(run_s)} AS bucket
    FROM {pipeline_runs} WHERE {counted_run} AND run_s IS NOT NULL AND created IS NOT NULL
    UNION ALL
    SELECT {day(created)}, 'ci_wall', {segment(repo, workflow)}, {log_bucket(wall_s)}
    FROM {pipeline_runs} WHERE {counted_run} AND wall_s IS NOT NULL AND created IS NOT NULL
    UNION ALL
    SELECT {day(created)}, 'ci_queue', {segment(repo, workflow)}, {log_bucket(queue_s)}
    FROM {pipeline_runs} WHERE {counted_run} AND queue_s IS NOT NULL AND created IS NOT NULL
) AS measured
GROUP BY 1, 2, 3, 4
