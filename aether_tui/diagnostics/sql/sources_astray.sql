-- Traces that began before there were any, or a day after the last rows came.
SELECT source, count(*) AS n, min(start) AS first, max(start) AS last
FROM tasks
WHERE start < TIMESTAMP '2000-01-01' OR start > (SELECT max(last_attempt) + INTERVAL 1 DAY FROM sync_state)
GROUP BY source
ORDER BY n DESC, source
