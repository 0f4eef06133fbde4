-- CI runs of the window, the longest first.
SELECT source, id || '.' || coalesce(attempt, 1) AS id, coalesce(workflow, repo) AS name, coalesce(branch, '') || ', ' || coalesce(result, '') AS title,
  coalesce(wall_s, run_s) AS value, created AS "at", repo, workflow, branch, event, attempt, sha, created, started, finished, queue_s, run_s, result, runner,
  count(*) OVER () AS of
FROM pipeline_runs
WHERE created >= $since AND created < $until AND result IN ('success', 'failure', 'timed_out') AND coalesce(wall_s, run_s) IS NOT NULL
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
ORDER BY value DESC, source, id
LIMIT 60
