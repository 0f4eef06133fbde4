-- Status changes of some work items ($ids, as source and id joined by a slash), oldest first.
SELECT source || '/' || item_id AS item, "at", from_state, to_state, to_category
FROM work_transitions
WHERE list_contains($ids::VARCHAR[], source || '/' || item_id)
ORDER BY item, "at", to_state
