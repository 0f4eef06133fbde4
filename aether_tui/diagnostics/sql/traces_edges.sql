-- What the fifth task of the window has that stands out by its duration, cost or turns, and the tenth by its errors: whoever
-- stands out has as much. In order of time alone they are then found without a look at most of the others.
WITH task AS NOT MATERIALIZED (
  SELECT duration_s, cost_usd, turns, errors
  FROM tasks
  WHERE start >= $since AND start < $until
    AND ($team::VARCHAR IS NULL OR team = $team) AND ($service::VARCHAR IS NULL OR service = $service)
    AND ($feature::VARCHAR IS NULL OR feature = $feature) AND ($environment::VARCHAR IS NULL OR environment = $environment)
)
SELECT (SELECT min(duration_s) FROM (SELECT duration_s FROM task WHERE duration_s IS NOT NULL ORDER BY duration_s DESC LIMIT 5)) AS slowest,
  (SELECT min(cost_usd) FROM (SELECT cost_usd FROM task WHERE cost_usd IS NOT NULL ORDER BY cost_usd DESC LIMIT 5)) AS dearest,
  (SELECT min(turns) FROM (SELECT turns FROM task WHERE turns IS NOT NULL ORDER BY turns DESC LIMIT 5)) AS longest,
  (SELECT min(errors) FROM (SELECT errors FROM task WHERE errors > 0 ORDER BY errors DESC LIMIT 10)) AS failing
