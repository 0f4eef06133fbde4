-- Deployments that came to an end, by the day they started. A rollback repairs like a hotfix does.
SELECT {day(started)} AS day, service, environment, team,
    count(*) AS deployments,
    sum(CASE WHEN result = 'failure' THEN 1 ELSE 0 END) AS failed,
    sum(CASE WHEN reason IN ('hotfix', 'rollback') THEN 1 ELSE 0 END) AS hotfixes
FROM {deployments}
WHERE result IN ('success', 'failure') AND started IS NOT NULL
GROUP BY 1, 2, 3, 4
