-- How many rows are left after each step that a number needs, over all time: where the first zero stands, its panel is empty;
-- and of when the newest is.
SELECT (SELECT count(*) FROM work_items) AS items, (SELECT count(category) FROM work_items) AS items_mapped,
  (SELECT count(*) FROM work_transitions) AS transitions, (SELECT count(*) FROM iterations) AS iterations,
  count(started) AS items_started, count(completed) AS items_completed,
  count(*) FILTER (WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore')) AS bets,
  count(coalesce(ideation_at, validation_at, specification_at, build_at, release_at, measure_at, learn_at))
    FILTER (WHERE coalesce(type, '') NOT IN ('incident', 'bug', 'chore')) AS bets_phased,
  coalesce(max(greatest(started, completed)), max(created)) AS newest
FROM flow_items
