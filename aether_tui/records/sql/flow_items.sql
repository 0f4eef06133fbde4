-- One row per work item with what its history says.
SELECT i.source, i.id, i.key, i.title, i.type, i.team, i.feature, i.project, i.state, i.category, i.phase, i.created,
    coalesce(i.started, h.first_active) AS started,
    CASE WHEN i.category = 'done' THEN coalesce(h.last_done, i.completed) ELSE i.completed END AS completed,
    CASE WHEN i.category = 'cancelled' THEN coalesce(h.last_cancelled, i.cancelled) ELSE i.cancelled END AS cancelled,
    i.updated,
    coalesce(h.reopened, 0) AS reopened,
    coalesce(h.transitions, 0) AS transitions,
    coalesce(
        CASE i.category
            WHEN 'backlog' THEN h.last_backlog WHEN 'queue' THEN h.last_queue WHEN 'active' THEN h.last_active
            WHEN 'wait' THEN h.last_wait WHEN 'done' THEN h.last_done WHEN 'cancelled' THEN h.last_cancelled
        END,
        i.created
    ) AS category_since,
    coalesce(h.ideation_at, CASE WHEN h.item_id IS NULL AND i.phase = 'ideation' THEN i.created END) AS ideation_at,
    coalesce(h.validation_at, CASE WHEN h.item_id IS NULL AND i.phase = 'validation' THEN i.created END) AS validation_at,
    coalesce(h.specification_at, CASE WHEN h.item_id IS NULL AND i.phase = 'specification' THEN i.created END) AS specification_at,
    coalesce(h.build_at, CASE WHEN h.item_id IS NULL AND i.phase = 'build' THEN i.created END) AS build_at,
    coalesce(h.release_at, CASE WHEN h.item_id IS NULL AND i.phase = 'release' THEN i.created END) AS release_at,
    coalesce(h.measure_at, CASE WHEN h.item_id IS NULL AND i.phase = 'measure' THEN i.created END) AS measure_at,
    coalesce(h.learn_at, CASE WHEN h.item_id IS NULL AND i.phase = 'learn' THEN i.created END) AS learn_at
FROM {work_items} AS i
LEFT JOIN (
    SELECT source, item_id,
        count(*) AS transitions,
        sum(CASE WHEN from_category = 'done' AND to_category <> 'done' THEN 1 ELSE 0 END) AS reopened,
        min(CASE WHEN to_category = 'active' THEN "at" END) AS first_active,
        max(CASE WHEN to_category = 'backlog' AND {entered} THEN "at" END) AS last_backlog,
        max(CASE WHEN to_category = 'queue' AND {entered} THEN "at" END) AS last_queue,
        max(CASE WHEN to_category = 'active' AND {entered} THEN "at" END) AS last_active,
        max(CASE WHEN to_category = 'wait' AND {entered} THEN "at" END) AS last_wait,
        max(CASE WHEN to_category = 'done' AND {entered} THEN "at" END) AS last_done,
        max(CASE WHEN to_category = 'cancelled' AND {entered} THEN "at" END) AS last_cancelled,
        min(CASE WHEN to_phase = 'ideation' THEN "at" END) AS ideation_at,
        min(CASE WHEN to_phase = 'validation' THEN "at" END) AS validation_at,
        min(CASE WHEN to_phase = 'specification' THEN "at" END) AS specification_at,
        min(CASE WHEN to_phase = 'build' THEN "at" END) AS build_at,
        min(CASE WHEN to_phase = 'release' THEN "at" END) AS release_at,
        min(CASE WHEN to_phase = 'measure' THEN "at" END) AS measure_at,
        min(CASE WHEN to_phase = 'learn' THEN "at" END) AS learn_at
    FROM {work_transitions}
    GROUP BY 1, 2
) AS h ON h.source = i.source AND h.item_id = i.id
