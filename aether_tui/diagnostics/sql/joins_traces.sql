-- How many rows are left after each step that a number needs, over all time: where the first zero stands, its panel is empty;
-- and of when the newest is.
SELECT count(*) AS traces, count(*) FILTER (WHERE calls > 0) AS traces_with_calls, count(outcome) AS traces_with_outcome,
  max(start) AS newest
FROM tasks
