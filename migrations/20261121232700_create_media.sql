-- Files that come and go with messages. The bytes are in the file store; here is what is known
-- of them, and what is still to be fetched from the engine.

CREATE TABLE media (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    -- No foreign key: the file outlives its session until it is swept.
    session_id uuid NOT NULL,
    -- NULL: not yet sent, or the message is gone.
    message_id uuid,
    -- It came with an old history: what comes now is fetched before it.
    history boolean NOT NULL DEFAULT false,
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    state text NOT NULL CHECK (state IN ('pending', 'stored', 'lost')),
    mimetype text NOT NULL,
    filename text,
    -- Bytes.
    size bigint CHECK (size >= 0),
    sha256 bytea CHECK (octet_length(sha256) = 32),
    error text,

    -- What is needed while it is pending, and meaningless afterwards.
    -- Where the engine has it. It may forget it, and is then asked again by the message.
    source_url text,
    wa_message_id text,
    chat_jid text,
    from_me boolean,
    attempts integer NOT NULL DEFAULT 0,
    next_at timestamptz NOT NULL DEFAULT now(),
    claim_id uuid,
    lease_until timestamptz,

    created_at timestamptz NOT NULL DEFAULT now(),
    stored_at timestamptz,
    CONSTRAINT media_tenant_id_id_key UNIQUE (tenant_id, id),
    CHECK (state <> 'stored' OR (size IS NOT NULL AND sha256 IS NOT NULL)),
    FOREIGN KEY (tenant_id, message_id) REFERENCES message (tenant_id, id)
        ON DELETE SET NULL (message_id)
);
CREATE INDEX media_message_id_idx ON media (tenant_id, message_id);
-- What is to be fetched, and what somebody is at.
CREATE INDEX media_pending_idx ON media (session_id, history, next_at, id)
    WHERE state = 'pending' AND message_id IS NOT NULL;
CREATE INDEX media_claimed_idx ON media (session_id) WHERE claim_id IS NOT NULL;
-- What is to be swept. A session takes its messages with it, so its files are here, too.
CREATE INDEX media_orphan_idx ON media (created_at, id) WHERE message_id IS NULL;
ALTER TABLE media ENABLE ROW LEVEL SECURITY;
ALTER TABLE media FORCE ROW LEVEL SECURITY;
CREATE POLICY media_own ON media TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY media_all ON media TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE ON media TO moltflow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON media TO moltflow_system;
