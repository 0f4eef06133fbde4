-- The newest first attempts of each workflow, and those of about 90 days ago. Cancelled and skipped runs do not count.
SELECT repo, workflow, created, wall_s, run_s, queue_s, runner, created < $drift_until AS old
FROM (
  SELECT repo, workflow, created, wall_s, run_s, queue_s, runner,
    row_number() OVER (PARTITION BY repo, workflow ORDER BY created DESC, id DESC) AS place,
    row_number() OVER (PARTITION BY repo, workflow, created < $drift_until ORDER BY created DESC, id DESC) AS old_place
  FROM pipeline_runs
  WHERE created >= $drift_since AND created < $until AND attempt = 1 AND result IN ('success', 'failure', 'timed_out')
    AND regexp_full_match(coalesce(repo, ''), $repo, 'i') AND regexp_full_match(coalesce(workflow, ''), $workflow, 'i')
    AND regexp_full_match(coalesce(branch, ''), $branch, 'i') AND regexp_full_match(coalesce(event, ''), $event, 'i')
    AND ($service::VARCHAR IS NULL OR service = $service) AND ($team::VARCHAR IS NULL OR team = $team)
)
WHERE place <= $keep OR (created < $drift_until AND old_place <= $keep)
ORDER BY repo, workflow, created
