-- What the steps of each job took, of the newest whole runs of each workflow.
WITH newest AS (
  SELECT source, id, attempt, repo, workflow
  FROM pipeline_runs
  WHERE created >= $since AND created < $until AND attempt = 1 AND result = 'success'
    AND ($service::VARCHAR IS NULL OR service = $service) AND ($team::VARCHAR IS NULL OR team = $team)
  QUALIFY row_number() OVER (PARTITION BY repo, workflow ORDER BY created DESC, id DESC) <= 40
)
SELECT n.repo, n.workflow, n.id, j.name, j.prepare_s, j.cache_saved, j.artifact_s, j.artifact_bytes
FROM newest AS n JOIN pipeline_jobs AS j ON j.source = n.source AND j.run_id = n.id AND j.attempt = n.attempt
WHERE j.prepare_s IS NOT NULL OR j.artifact_s IS NOT NULL OR j.artifact_bytes IS NOT NULL
ORDER BY 1, 2, 3, 4, j.id
