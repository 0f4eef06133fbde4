-- Teams, services and features there are, with how many rows of the rollups name them.
SELECT kind, name, sum(n) AS n
FROM (
  SELECT 'team' AS kind, team AS name, count(*) AS n FROM flow_items GROUP BY team
  UNION ALL SELECT 'team', team, count(*) FROM llm_hourly GROUP BY team
  UNION ALL SELECT 'team', team, count(*) FROM delivery_daily GROUP BY team
  UNION ALL SELECT 'service', service, count(*) FROM llm_hourly GROUP BY service
  UNION ALL SELECT 'service', service, count(*) FROM delivery_daily GROUP BY service
  UNION ALL SELECT 'feature', feature, count(*) FROM flow_items GROUP BY feature
  UNION ALL SELECT 'feature', feature, count(*) FROM llm_hourly GROUP BY feature
)
WHERE name IS NOT NULL AND name <> ''
GROUP BY kind, name
ORDER BY kind DESC, n DESC, name
LIMIT 300
