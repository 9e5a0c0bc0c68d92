-- WhatsApp numbers connected to the server.

CREATE TABLE wa_session (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    status text NOT NULL DEFAULT 'stopped'
        CHECK (status IN ('stopped', 'starting', 'qr_code', 'working', 'failed')),
    phone_number text,
    push_name text,
    is_business boolean NOT NULL DEFAULT false,
    config jsonb NOT NULL DEFAULT '{}',
    last_error text,
    -- Whether somebody asked for it to run. The engine is brought in line with this.
    wanted boolean NOT NULL DEFAULT false,
    -- Whether clients were told that it is connected, and not yet that it is no more. Outlasts
    -- being `starting`: engines reconnect on purpose, every half hour.
    connected boolean NOT NULL DEFAULT false,
    -- The key that the engine signs its callbacks with, sealed with the master key.
    callback_secret bytea NOT NULL,
    -- When the engine says that the present status began: its reports overtake each other.
    engine_status_at timestamptz,
    -- When the session last proved to be alive.
    last_seen_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT wa_session_tenant_id_id_key UNIQUE (tenant_id, id)
);
CREATE INDEX wa_session_tenant_id_created_at_idx ON wa_session (tenant_id, created_at DESC, id DESC);
ALTER TABLE wa_session ENABLE ROW LEVEL SECURITY;
ALTER TABLE wa_session FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_session_own ON wa_session TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY wa_session_all ON wa_session TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON wa_session TO moltflow_app, moltflow_system;
