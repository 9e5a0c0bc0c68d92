-- Where tenants want events sent to, and each event's way there.

-- UUID version 7: milliseconds, then chance, so that rows made one after the other lie together.
CREATE FUNCTION moltflow_uuid7() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
    SELECT encode(set_bit(set_bit(overlay(
        uuid_send(gen_random_uuid())
        PLACING substring(int8send(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3)
        FROM 1 FOR 6), 52, 1), 53, 1), 'hex')::uuid
$$;

CREATE TABLE webhook (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (name <> ''),
    url text NOT NULL,
    -- Names of events; '*' is all of them.
    events text[] NOT NULL CHECK (cardinality(events) > 0),
    is_active boolean NOT NULL DEFAULT true,
    -- How often it has begun anew: what came of it before that is not held against it.
    generation integer NOT NULL DEFAULT 0,
    -- Sealed with the master key.
    secret bytea NOT NULL,
    -- While a rotation is under way: the secret before, and until when it counts.
    previous_secret bytea,
    previous_until timestamptz,
    -- Who switched it off, if it was not the tenant: why, and when.
    disabled_reason text,
    disabled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT webhook_tenant_id_id_key UNIQUE (tenant_id, id),
    CHECK ((previous_secret IS NULL) = (previous_until IS NULL))
);
ALTER TABLE webhook ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_own ON webhook TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY webhook_all ON webhook TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook TO moltflow_app, moltflow_system;

-- How each one fares. Apart from the webhook, which every new delivery points at: that row is
-- seldom written, this one all the time.
CREATE TABLE webhook_state (
    webhook_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    -- Failed attempts since the last success.
    failure_count integer NOT NULL DEFAULT 0,
    failing_since timestamptz,
    last_error text,
    last_delivery_at timestamptz,
    -- The circuit breaker: nothing is sent before this, and how often it has opened in a row.
    blocked_until timestamptz,
    block_count integer NOT NULL DEFAULT 0,
    -- Deliveries that may be under way at a time: one after a break, more with each success.
    allowance integer NOT NULL,
    -- Since it was made.
    delivered_count bigint NOT NULL DEFAULT 0,
    failed_attempt_count bigint NOT NULL DEFAULT 0,
    dead_count bigint NOT NULL DEFAULT 0,
    -- A moving average over successes.
    latency_ms double precision,
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhook (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX webhook_state_tenant_id_idx ON webhook_state (tenant_id, webhook_id);
ALTER TABLE webhook_state ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_state FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_state_own ON webhook_state TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY webhook_state_all ON webhook_state TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON webhook_state TO moltflow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_state TO moltflow_system;

-- One event on its way to one webhook: made with the event, and kept as the log of what became
-- of it. What is sent stands in the event.
CREATE TABLE webhook_delivery (
    id uuid PRIMARY KEY DEFAULT moltflow_uuid7(),
    tenant_id uuid NOT NULL,
    webhook_id uuid NOT NULL,
    -- No foreign key: days of the log are dropped, those that something waits for excepted.
    event_id uuid NOT NULL,
    event_at timestamptz NOT NULL,
    event_name text NOT NULL,
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'dead')),
    -- Never tried. These have slots of their own, and go before what is tried again.
    fresh boolean NOT NULL DEFAULT true,
    -- Attempts since it was made, or replayed.
    tries integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    -- Who is at it, until when, and by which advisory lock they show that they live. NULL: they
    -- could not show it, and the lease counts alone.
    claim_id uuid,
    lease_until timestamptz,
    holder integer,
    -- The newest attempts, oldest first: number, at, status_code, latency_ms, error, response.
    attempts jsonb NOT NULL DEFAULT '[]',
    created_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    FOREIGN KEY (tenant_id, webhook_id) REFERENCES webhook (tenant_id, id) ON DELETE CASCADE,
    CHECK ((state = 'pending') = (finished_at IS NULL)),
    CHECK ((claim_id IS NULL) = (lease_until IS NULL)),
    CHECK (holder IS NULL OR claim_id IS NOT NULL),
    CHECK (claim_id IS NULL OR finished_at IS NULL)
);
-- The log of a webhook, and what the event log still holds for it.
CREATE INDEX webhook_delivery_webhook_id_idx
    ON webhook_delivery (tenant_id, webhook_id, event_at, id);
-- The queue: what nobody is at. Said otherwise than below, so that whoever claims is never led
-- to the index on `event_at`.
CREATE INDEX webhook_delivery_pending_idx ON webhook_delivery (webhook_id, fresh, next_at, id)
    WHERE finished_at IS NULL AND claim_id IS NULL;
-- What somebody is at.
CREATE INDEX webhook_delivery_claimed_idx ON webhook_delivery (lease_until)
    WHERE claim_id IS NOT NULL;
CREATE INDEX webhook_delivery_dead_idx ON webhook_delivery (tenant_id, webhook_id, event_at, id)
    WHERE state = 'dead';
-- What is swept, and which days of the log are still waited for.
CREATE INDEX webhook_delivery_event_at_idx ON webhook_delivery (event_at) WHERE state <> 'pending';
CREATE INDEX webhook_delivery_waiting_idx ON webhook_delivery (event_at) WHERE state = 'pending';
ALTER TABLE webhook_delivery ENABLE ROW LEVEL SECURITY;
ALTER TABLE webhook_delivery FORCE ROW LEVEL SECURITY;
CREATE POLICY webhook_delivery_own ON webhook_delivery TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY webhook_delivery_all ON webhook_delivery TO moltflow_system
    USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON webhook_delivery TO moltflow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_delivery TO moltflow_system;
