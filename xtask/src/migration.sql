-- What is in it, and for whom.
--
-- Forward only, and never changed once it is on main: write another one instead.
-- Keep what you need of this, and delete the rest.

CREATE TABLE OBJECT (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    -- session_id uuid NOT NULL,
    name text NOT NULL CHECK (name <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    -- Named, because code matches on the names.
    CONSTRAINT OBJECT_tenant_id_name_key UNIQUE (tenant_id, name),
    -- What other tables of the tenant refer to. Their keys include the tenant: key checks bypass
    -- row security, so a plain key could point into another tenant.
    CONSTRAINT OBJECT_tenant_id_id_key UNIQUE (tenant_id, id)
    -- , FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX OBJECT_tenant_id_created_at_idx ON OBJECT (tenant_id, created_at DESC, id DESC);

-- Forced: the owner is no exception.
ALTER TABLE OBJECT ENABLE ROW LEVEL SECURITY;
ALTER TABLE OBJECT FORCE ROW LEVEL SECURITY;
CREATE POLICY OBJECT_own ON OBJECT TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY OBJECT_all ON OBJECT TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON OBJECT TO moltflow_app, moltflow_system;
