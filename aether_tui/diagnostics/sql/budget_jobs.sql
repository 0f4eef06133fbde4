-- Jobs of the newest first attempts of each workflow, and of those of about 90 days ago.
WITH chosen AS (
  SELECT source, id, attempt, repo, workflow, branch, event, sha,
    row_number() OVER (PARTITION BY repo, workflow ORDER BY created DESC, id DESC) AS place,
    row_number() OVER (PARTITION BY repo, workflow, created < $drift_until ORDER BY created DESC, id DESC) AS old_place,
    created < $drift_until AS old
  FROM pipeline_runs
  WHERE created >= $drift_since AND created < $until AND attempt = 1
    AND regexp_full_match(coalesce(repo, ''), $repo, 'i') AND regexp_full_match(coalesce(workflow, ''), $workflow, 'i')
    AND regexp_full_match(coalesce(branch, ''), $branch, 'i') AND regexp_full_match(coalesce(event, ''), $event, 'i')
    AND ($service::VARCHAR IS NULL OR service = $service) AND ($team::VARCHAR IS NULL OR team = $team)
)
SELECT r.repo, r.workflow, r.branch, r.event, r.sha, j.run_id, j.attempt, j.name, j.created, j.started, j.finished, j.result, j.runner
FROM chosen AS r JOIN pipeline_jobs AS j ON j.source = r.source AND j.run_id = r.id AND j.attempt = r.attempt
WHERE r.place <= $keep OR (r.old AND r.old_place <= $keep)
ORDER BY r.repo, r.workflow, coalesce(j.created, j.started), j.id
