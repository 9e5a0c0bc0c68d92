-- What happened, as clients are told: append-only, written in the transaction that made it so.
--
-- Readers follow the log by (tx, seq) and read only what is older than every transaction
-- still running. A sequence alone would lose events: numbers are given out in one order and
-- committed in another.
CREATE TABLE event (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    -- No foreign key: the log outlives what it tells of.
    session_id uuid,
    name text NOT NULL,
    -- `json` and not `jsonb`: nobody looks inside, and it goes out as it came in.
    data json NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq bigint GENERATED ALWAYS AS IDENTITY,
    CONSTRAINT event_tenant_id_id_key UNIQUE (tenant_id, id)
);
CREATE INDEX event_tx_seq_idx ON event (tx, seq);
CREATE INDEX event_session_id_idx ON event (tenant_id, session_id, tx, seq);
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
CREATE POLICY event_own ON event TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY event_all ON event TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON event TO moltflow_app;
GRANT SELECT, INSERT, DELETE ON event TO moltflow_system;
-- After a dump was restored into another cluster: see Store::migrate.
GRANT UPDATE (tx) ON event TO moltflow_system;

-- Callbacks with a good signature that could not be read. Kept, so that nothing is lost when
-- an engine learns a new form before this server does.
CREATE TABLE rejected_callback (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    reason text NOT NULL,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT rejected_callback_tenant_id_id_key UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX rejected_callback_tenant_id_received_at_idx
    ON rejected_callback (tenant_id, received_at DESC);
CREATE INDEX rejected_callback_session_id_idx ON rejected_callback (tenant_id, session_id);
ALTER TABLE rejected_callback ENABLE ROW LEVEL SECURITY;
ALTER TABLE rejected_callback FORCE ROW LEVEL SECURITY;
CREATE POLICY rejected_callback_own ON rejected_callback TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY rejected_callback_all ON rejected_callback TO moltflow_system
    USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON rejected_callback TO moltflow_app;
GRANT SELECT, INSERT, DELETE ON rejected_callback TO moltflow_system;
