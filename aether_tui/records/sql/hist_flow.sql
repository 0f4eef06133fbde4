-- Cycle time (started to completed) and lead time (created to completed) of items that are done, by team.
SELECT day, kind, segment, bucket, count(*) AS n
FROM (
    SELECT {day(completed)} AS day, 'cycle_time' AS kind, coalesce(team, '') AS segment,
        {log_bucket({seconds(started, completed)})} AS bucket
    FROM {flow_items} WHERE completed IS NOT NULL AND started <= completed
    UNION ALL
    SELECT {day(completed)}, 'lead_time', coalesce(team, ''), {log_bucket({seconds(created, completed)})}
    FROM {flow_items} WHERE completed IS NOT NULL AND created <= completed
) AS measured
GROUP BY 1, 2, 3, 4
