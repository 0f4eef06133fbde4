-- CI runs by day; branches are thousands, so what started them stands for them.
SELECT day, coalesce(repo, '') || '/' || coalesce(workflow, '') AS workflow, event, sum(runs) AS runs, sum(failures) AS failures
FROM ci_daily
WHERE day >= $since_day AND day < $until_day
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
