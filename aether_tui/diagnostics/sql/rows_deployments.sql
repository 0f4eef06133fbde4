-- Successful production deployments of the window, those that failed ($ids: charged with an incident, or mended by the next) first.
SELECT source, id, coalesce(service, repo, id) AS name, concat_ws(', ', nullif(reason, 'unknown'), result) AS title,
  epoch(finished) - epoch(started) AS value, coalesce(finished, started) AS "at", repo, service, team, sha, started, finished, result, reason,
  count(*) OVER () AS of
FROM deployments
WHERE environment = 'production' AND result = 'success' AND coalesce(finished, started) >= $since AND coalesce(finished, started) < $until
  AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR coalesce(service, repo, '') = $service)
ORDER BY CASE WHEN list_contains($ids::VARCHAR[], source || '/' || id) THEN 0 WHEN reason IN ('rollback', 'hotfix') THEN 1 ELSE 2 END,
  "at" DESC, source, id
LIMIT 60
