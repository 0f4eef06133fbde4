-- Items planned in sprints and cycles that ended: in them at the end of their first day; and those of them done by their end. A
-- tracker that only counts (Linear) does not say which ones were done: at most as many as were planned.
WITH ended AS (
  SELECT source, id, start, coalesce(completed, "end") AS ended, items_start, items_done
  FROM iterations
  WHERE coalesce(completed, "end") >= $before AND coalesce(completed, "end") < $until AND start < coalesce(completed, "end")
    AND ($team::VARCHAR IS NULL OR (source, source_team) IN (SELECT source, source_team FROM work_items WHERE team = $team))
),
listed AS (
  SELECT e.ended, i.completed IS NOT NULL AND i.completed <= e.ended AS done
  FROM ended e JOIN iteration_items m ON m.source = e.source AND m.iteration_id = e.id
    JOIN flow_items i ON i.source = m.source AND i.id = m.item_id
  WHERE coalesce(m.added < e.start + INTERVAL 1 DAY, true) AND coalesce(m.removed >= e.start + INTERVAL 1 DAY, true)
    AND coalesce(i.completed >= e.start, true)
)
SELECT day, sum(k) AS k, sum(n) AS n
FROM (
  SELECT date_trunc('day', ended) AS day, count(*) FILTER (WHERE done) AS k, count(*) AS n FROM listed GROUP BY day
  UNION ALL
  SELECT date_trunc('day', ended) AS day, sum(least(items_done, items_start)) AS k, sum(items_start) AS n
  FROM ended
  WHERE items_start > 0 AND items_done IS NOT NULL
    AND (source, id) NOT IN (SELECT source, iteration_id FROM iteration_items)
  GROUP BY day
)
GROUP BY day
ORDER BY ALL
