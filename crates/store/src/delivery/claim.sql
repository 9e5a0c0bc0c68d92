-- Claims deliveries that are due. $1: the claim, $2: its lease in seconds, $3: how many, $4: how
-- many of them that are no first attempts, $5: a tenant's most, $6: a webhook's most,
-- $7: who claims.
--
-- The statement is planned while the queue is empty, and has to do when it is full. So it leaves
-- the planner one index for each thing: what waits is said by `finished_at`, as the queue's own
-- index says it, and rows of the queue are looked for by their ids apart from that.
WITH RECURSIVE waiting AS (
    -- Webhooks with anything in the queue: from one to the next, through the index.
    (SELECT q.webhook_id FROM webhook_delivery q
     WHERE q.finished_at IS NULL AND q.claim_id IS NULL
     ORDER BY q.webhook_id LIMIT 1)
    UNION ALL
    SELECT (
        SELECT q.webhook_id FROM webhook_delivery q
        WHERE q.finished_at IS NULL AND q.claim_id IS NULL
          AND q.webhook_id > w.webhook_id
        ORDER BY q.webhook_id LIMIT 1
    ) FROM waiting w WHERE w.webhook_id IS NOT NULL
), claimed AS MATERIALIZED (
    -- What is under way, everywhere.
    SELECT tenant_id, webhook_id, count(*) AS held, count(*) FILTER (WHERE fresh) AS fresh
    FROM webhook_delivery WHERE claim_id IS NOT NULL GROUP BY tenant_id, webhook_id
), shares AS MATERIALIZED (
    SELECT tenant_id, sum(held)::bigint AS held FROM claimed GROUP BY tenant_id
), ready AS MATERIALIZED (
    -- How much each webhook, and its tenant, has under way, and how much more it may.
    SELECT w.tenant_id, w.id, coalesce(c.held, 0) AS held, coalesce(c.fresh, 0) AS held_fresh,
        coalesce(c.held - c.fresh, 0) AS held_again, coalesce(t.held, 0) AS held_by_tenant,
        least($6::int, w.allowance) - coalesce(c.held, 0) AS room
    FROM waiting
    CROSS JOIN LATERAL (
        -- One by one, however many webhooks there are.
        SELECT w.tenant_id, w.id, s.allowance FROM webhook w
        JOIN webhook_state s ON s.webhook_id = w.id
        WHERE w.id = waiting.webhook_id AND w.is_active
          AND (s.blocked_until IS NULL OR s.blocked_until <= now()
            OR s.blocked_until > now() + interval '1 hour')
        LIMIT 1
    ) w
    LEFT JOIN claimed c ON c.webhook_id = w.id
    LEFT JOIN shares t ON t.tenant_id = w.tenant_id
), due AS MATERIALIZED (
    -- Of each webhook as much as there is room for. First attempts and others in turns, where
    -- what is under way has had its turn; so everywhere below.
    SELECT r.tenant_id, r.held_by_tenant, r.held, r.room, d.id, d.fresh, d.next_at,
        row_number() OVER (PARTITION BY r.id ORDER BY d.turn, d.next_at, d.id) AS place
    FROM ready r
    CROSS JOIN LATERAL (
        (SELECT q.id, q.fresh, q.next_at,
             r.held_fresh + row_number() OVER (ORDER BY q.next_at, q.id) AS turn
         FROM webhook_delivery q
         WHERE q.webhook_id = r.id AND q.finished_at IS NULL AND q.claim_id IS NULL
           AND q.fresh
         ORDER BY q.next_at, q.id LIMIT least(r.room, $3))
        UNION ALL
        (SELECT q.id, q.fresh, q.next_at,
             r.held_again + row_number() OVER (ORDER BY q.next_at, q.id)
         FROM webhook_delivery q
         WHERE q.webhook_id = r.id AND q.finished_at IS NULL AND q.claim_id IS NULL
           AND NOT q.fresh AND q.next_at <= now()
         ORDER BY q.next_at, q.id LIMIT least(r.room, $4))
        UNION ALL
        -- No pause is as long as this: somebody has moved the clock.
        (SELECT q.id, q.fresh, q.next_at,
             r.held_again + row_number() OVER (ORDER BY q.next_at, q.id)
         FROM webhook_delivery q
         WHERE q.webhook_id = r.id AND q.finished_at IS NULL AND q.claim_id IS NULL
           AND NOT q.fresh AND q.next_at > now() + interval '30 hours'
         ORDER BY q.next_at, q.id LIMIT least(r.room, $4))
    ) d
    WHERE r.room > 0 AND r.held_by_tenant < $5
), fair AS MATERIALIZED (
    -- A tenant's webhooks in turns,
    SELECT id, fresh, next_at, held + place AS load, held_by_tenant + row_number() OVER (
        PARTITION BY tenant_id ORDER BY held + place, next_at, id) AS place
    FROM due WHERE place <= room
), allowed AS MATERIALIZED (
    -- and no more than its share. The last quarter of that is for webhooks with nothing under
    -- way: a tenant's slow endpoints do not hold up its others.
    SELECT id, place, next_at, fresh OR row_number() OVER (
        PARTITION BY fresh ORDER BY place, next_at, id) <= $4 AS allowed
    FROM fair WHERE place <= CASE WHEN load = 1 THEN $5 ELSE $5 - $5 / 4 END
), mine AS MATERIALIZED (
    -- Tenants in turns; what somebody else takes at this moment is theirs.
    SELECT d.id, d.claim_id, d.finished_at FROM webhook_delivery d
    WHERE d.id = ANY (ARRAY(
        SELECT a.id FROM allowed a WHERE a.allowed
        ORDER BY a.place, a.next_at, a.id LIMIT $3))
    FOR UPDATE SKIP LOCKED
), taken AS (
    UPDATE webhook_delivery d
    SET claim_id = $1, lease_until = now() + make_interval(secs => $2), holder = $7
    WHERE d.id = ANY (ARRAY(
        SELECT m.id FROM mine m WHERE m.claim_id IS NULL AND m.finished_at IS NULL))
    RETURNING d.id, d.tenant_id, d.webhook_id, d.event_id, d.event_at,
        d.event_name, d.tries, d.fresh, d.created_at
)
SELECT t.id AS "id!", t.tenant_id AS "tenant_id!", t.webhook_id AS "webhook_id!",
    t.event_id AS "event_id!", t.event_name AS "event_name!", t.tries AS "tries!",
    t.fresh AS "fresh!", t.created_at AS "created_at!", w.url, w.generation, w.secret,
    CASE WHEN w.previous_until > now() THEN w.previous_secret END
        AS previous_secret,
    e.body AS "body?"
FROM taken t
JOIN webhook w ON w.tenant_id = t.tenant_id AND w.id = t.webhook_id
-- In the order of the key, which an index on anything else does not give: it is the one that
-- fits where the day's table is still empty, too.
LEFT JOIN LATERAL (
    SELECT e.tenant_id, e.body FROM event e
    WHERE e.id >= t.event_id AND e.id <= t.event_id AND e.created_at = t.event_at
    ORDER BY e.id LIMIT 1
) e ON e.tenant_id = t.tenant_id
ORDER BY t.id
