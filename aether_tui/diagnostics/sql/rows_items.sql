-- Work items behind a number, the longest first. $mode: `cycle` and `lead` (finished in the window), `reopened` (of them), `open`
-- (in progress at its end), `unmapped` (touched in it, in a state nobody mapped), `stage` (in the lifecycle stage $stage, 1 to 7),
-- `escaped` (bugs created in it that were found in release or later), `released` (in it), `unfinished` (planned in a sprint that
-- ended in it, and not done by its end).
WITH items AS (
  SELECT *, coalesce(completed, cancelled) AS ended, completed >= $since AND completed < $until AS finished,
    [ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at] AS entries
  FROM flow_items
  WHERE type IS DISTINCT FROM 'incident' AND ($team::VARCHAR IS NULL OR team = $team)
    AND ($feature::VARCHAR IS NULL OR feature = $feature)
),
escaped AS (
  SELECT source, id FROM work_items
  WHERE $mode = 'escaped' AND type = 'bug' AND lower(trim(list_filter(labels, lambda l: starts_with(lower(l), 'found:'))[1][7:]))
    IN ('release', 'measure', 'learn', 'production', 'live', 'customer', 'customers', 'user', 'users', 'support')
),
unfinished AS (
  SELECT m.source, m.item_id
  FROM iterations s JOIN iteration_items m ON m.source = s.source AND m.iteration_id = s.id
    JOIN flow_items i ON i.source = m.source AND i.id = m.item_id
  WHERE $mode = 'unfinished' AND coalesce(s.completed, s."end") >= $since AND coalesce(s.completed, s."end") < $until
    AND coalesce(m.added < s.start + INTERVAL 1 DAY, true) AND coalesce(m.removed >= s.start + INTERVAL 1 DAY, true)
    AND coalesce(i.completed > coalesce(s.completed, s."end"), true)
),
meant AS (
  SELECT *, CASE $mode
      WHEN 'cycle' THEN epoch(completed) - epoch(started)
      WHEN 'lead' THEN epoch(completed) - epoch(created)
      WHEN 'reopened' THEN epoch(completed) - epoch(created)
      WHEN 'open' THEN epoch($until::TIMESTAMP) - epoch(started)
      WHEN 'unmapped' THEN epoch($until::TIMESTAMP) - epoch(updated)
      WHEN 'escaped' THEN epoch(coalesce(ended, $until)) - epoch(created)
      WHEN 'released' THEN epoch(release_at) - epoch(created)
      WHEN 'unfinished' THEN epoch($until::TIMESTAMP) - epoch(created)
      ELSE epoch($until::TIMESTAMP) - epoch(entries[$stage])
    END AS value
  FROM items
  WHERE CASE $mode
      WHEN 'cycle' THEN finished AND started IS NOT NULL
      WHEN 'lead' THEN finished AND created IS NOT NULL
      WHEN 'reopened' THEN finished AND reopened > 0
      WHEN 'open' THEN started < $until AND (ended IS NULL OR ended >= $until)
      WHEN 'unmapped' THEN category IS NULL AND updated >= $since AND updated < $until
      WHEN 'escaped' THEN created >= $since AND created < $until AND (source, id) IN (FROM escaped)
      WHEN 'released' THEN coalesce(type, '') NOT IN ('bug', 'chore') AND release_at >= $since AND release_at < $until
      WHEN 'unfinished' THEN (source, id) IN (FROM unfinished)
      ELSE coalesce(type, '') NOT IN ('bug', 'chore') AND entries[$stage] < $until AND (cancelled IS NULL OR cancelled >= $until)
        AND coalesce(list_min(list_filter(entries[$stage + 1:], lambda later: later < $until)) IS NULL, true)
    END
)
SELECT m.source, m.id, key AS name, title, value, coalesce(m.completed, m.started, m.created) AS "at", type, team, feature, project,
  m.state, category, phase, m.created, m.started, m.completed, m.cancelled, reopened, waits.n AS waits_for_open_items,
  needs.n AS customers_asking, p.health AS project_health, count(*) OVER () AS of
FROM meant AS m
  LEFT JOIN (
    SELECT l.source, l.to_id, count(DISTINCT l.from_id) AS n
    FROM work_links l JOIN flow_items o ON o.source = l.source AND o.id = l.from_id
    WHERE l.kind = 'blocks' AND coalesce(o.completed, o.cancelled) IS NULL
    GROUP BY ALL
  ) AS waits ON waits.source = m.source AND waits.to_id = m.id
  LEFT JOIN (
    SELECT source, to_id, count(DISTINCT customer) AS n FROM work_links WHERE kind = 'need' GROUP BY ALL
  ) AS needs ON needs.source = m.source AND needs.to_id = m.id
  LEFT JOIN (
    SELECT source, name, any_value(health) AS health FROM projects WHERE kind = 'project' GROUP BY ALL
  ) AS p ON p.source = m.source AND p.name = m.project
ORDER BY value DESC, m.source, m.id
LIMIT 60
