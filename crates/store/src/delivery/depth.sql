-- How much waits in the queue, of what was never tried and of the rest no more than $1 each.
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
)
SELECT
    (SELECT count(*) FROM (
        SELECT FROM waiting w CROSS JOIN LATERAL (
            SELECT FROM webhook_delivery q
            WHERE q.webhook_id = w.webhook_id AND q.finished_at IS NULL AND q.claim_id IS NULL
              AND q.fresh
            ORDER BY q.next_at, q.id LIMIT $1
        ) AS d LIMIT $1) AS counted) AS "fresh!",
    (SELECT count(*) FROM (
        SELECT FROM waiting w CROSS JOIN LATERAL (
            SELECT FROM webhook_delivery q
            WHERE q.webhook_id = w.webhook_id AND q.finished_at IS NULL AND q.claim_id IS NULL
              AND NOT q.fresh
            ORDER BY q.next_at, q.id LIMIT $1
        ) AS d LIMIT $1) AS counted) AS "again!",
    (SELECT count(*) FROM webhook_delivery WHERE claim_id IS NOT NULL) AS "claimed!",
    -- A first attempt is due when it is made.
    coalesce((
        SELECT extract(epoch FROM now() - min(d.next_at))
        FROM waiting w CROSS JOIN LATERAL (
            SELECT q.next_at FROM webhook_delivery q
            WHERE q.webhook_id = w.webhook_id AND q.finished_at IS NULL AND q.claim_id IS NULL
              AND q.fresh
            ORDER BY q.next_at, q.id LIMIT 1
        ) AS d), 0)::float8 AS "lag_seconds!"
