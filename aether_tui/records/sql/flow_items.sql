-- One row per work item with what its history says. How it ended is what its state means here, not what the tracker calls it: a
-- tracker may call "won't do" done. Of items that ended, by the stays between their creation and their end (a stay
-- has the category that was entered at its begin, the first one the category that the first change left): how long they were in each
-- category; how often somebody else than before moved them, null where a mover is not named; and their steps, which are the
-- stays in active states, each with the wait since the last one and whether the next goes back to a state it had been in.
WITH item AS (
    SELECT i.source, i.id, i.key, i.title, i.type, i.team, i.feature, i.project, i.state, i.category, i.phase, i.created,
        coalesce(i.started, h.first_active) AS started,
        CASE WHEN i.category = 'done' THEN coalesce(h.last_done, i.completed, i.cancelled)
            WHEN i.category IS NULL THEN i.completed END AS completed,
        CASE WHEN i.category = 'cancelled' THEN coalesce(h.last_cancelled, i.cancelled, i.completed)
            WHEN i.category IS NULL THEN i.cancelled END AS cancelled,
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
),
ended AS (
    SELECT source, id, created, coalesce(completed, cancelled) AS ended
    FROM item
    WHERE transitions > 0 AND coalesce(completed, cancelled) IS NOT NULL
),
move AS (
    SELECT t.source, t.item_id, t."at", e.ended, t.from_state, t.from_category, t.to_state, t.to_category,
        CASE WHEN row_number() OVER along = 1 THEN greatest({us(t."at")} - {us(e.created)}, 0) ELSE 0 END AS first_us,
        greatest({us(coalesce(lead(t."at") OVER along, e.ended))} - {us(t."at")}, 0) AS stay_us,
        CASE WHEN t.from_state IS NOT NULL THEN t.actor END AS actor,  -- who created it did not move it
        CASE WHEN lag(t.from_state) OVER along IS NOT NULL THEN lag(t.actor) OVER along END AS actor_before
    FROM ended AS e
    JOIN {work_transitions} AS t ON t.source = e.source AND t.item_id = e.id AND t."at" <= e.ended
    WINDOW along AS (PARTITION BY t.source, t.item_id ORDER BY t."at", t.from_state NULLS FIRST, t.to_state)
),
spent AS (
    SELECT source, item_id,
        sum(CASE WHEN to_category = 'active' THEN stay_us ELSE 0 END + CASE WHEN from_category = 'active' THEN first_us ELSE 0 END) AS active,
        sum(CASE WHEN to_category = 'wait' THEN stay_us ELSE 0 END + CASE WHEN from_category = 'wait' THEN first_us ELSE 0 END) AS wait,
        sum(CASE WHEN to_category = 'queue' THEN stay_us ELSE 0 END + CASE WHEN from_category = 'queue' THEN first_us ELSE 0 END) AS queue,
        sum(CASE WHEN to_category IS NULL THEN stay_us ELSE 0 END + CASE WHEN from_category IS NULL THEN first_us ELSE 0 END) AS unmapped,
        CASE WHEN bool_and(actor IS NOT NULL) FILTER (from_state IS NOT NULL)
            THEN count(*) FILTER (actor_before IS NOT NULL AND actor <> actor_before) END AS handoffs
    FROM move
    GROUP BY 1, 2
),
active AS (
    SELECT source, item_id, "at", from_state, to_state AS state, stay_us, waited_us - coalesce(lag(waited_us) OVER along, 0) AS wait_us,
        row_number() OVER along AS place, lead(to_state) OVER along AS next_state, list(to_state) OVER along AS been
    FROM (
        SELECT *, sum(CASE WHEN to_category IN ('queue', 'wait') THEN stay_us ELSE 0 END) OVER along AS waited_us
        FROM move
        WINDOW along AS (PARTITION BY source, item_id ORDER BY "at", from_state NULLS FIRST, to_state)
    ) AS waiting
    WHERE to_category = 'active' AND to_state IS NOT NULL
    WINDOW along AS (PARTITION BY source, item_id ORDER BY "at", from_state NULLS FIRST, to_state)
),
stepped AS (
    SELECT source, item_id,
        list({'state': state, 'next_state': next_state, 'back': next_state <> state AND list_contains(been, next_state),
            'touch_us': CAST(stay_us AS BIGINT), 'wait_us': CAST(wait_us AS BIGINT)} ORDER BY place) AS steps
    FROM active
    GROUP BY 1, 2
)
SELECT item.*,
    CASE WHEN e.id IS NOT NULL THEN coalesce(t.active, 0) END AS active_us,
    CASE WHEN e.id IS NOT NULL THEN coalesce(t.wait, 0) END AS wait_us,
    CASE WHEN e.id IS NOT NULL THEN coalesce(t.queue, 0) END AS queue_us,
    CASE WHEN e.id IS NOT NULL THEN coalesce(t.unmapped, greatest({us(e.ended)} - {us(e.created)}, 0)) END AS unmapped_us,
    t.handoffs,
    s.steps
FROM item
LEFT JOIN ended AS e ON e.source = item.source AND e.id = item.id
LEFT JOIN spent AS t ON t.source = item.source AND t.item_id = item.id
LEFT JOIN stepped AS s ON s.source = item.source AND s.item_id = item.id
