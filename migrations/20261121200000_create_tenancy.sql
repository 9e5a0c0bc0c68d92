-- Who there is: plans, tenants, users, and their credentials.

CREATE TABLE plan (
    id text PRIMARY KEY,
    display_name text NOT NULL,
    -- US cents.
    price_monthly integer NOT NULL CHECK (price_monthly >= 0),
    price_yearly integer NOT NULL CHECK (price_yearly >= 0),
    -- NULL is without limit, in every column down to style_profiles.
    requests_per_minute integer,
    requests_per_hour integer,
    messages_per_month integer,
    sessions integer,
    monitored_groups integer,
    custom_groups integer,
    labels integer,
    scheduled_reports integer,
    channels integer,
    channel_posts_per_month integer,
    knowledge_documents integer,
    style_profiles integer,
    bulk_send boolean NOT NULL,
    scheduled_messages boolean NOT NULL,
    -- Lead bulk operations and export, AI, reviews, A2A, AI group analysis, campaign analytics.
    professional boolean NOT NULL,
    position integer NOT NULL
);

INSERT INTO plan VALUES
    ('free', 'Free', 0, 0, 10, 100, 50, 1, 2, 2, 10, 2, 1, 10, 0, 0, false, false, false, 1),
    ('starter', 'Starter', 990, 9900, 20, NULL, 500, 1, 5, 5, 25, 5, 2, 50, 0, 0, true, true, false, 2),
    ('growth', 'Growth', 1990, 19900, NULL, 1000, 1000, 3, 10, 10, 50, 10, 2, 50, 0, 0, true, true, false, 3),
    ('pro', 'Pro', 2990, 29900, 40, NULL, 1500, 5, 20, 20, 50, 10, 5, 500, 10, 3, true, true, true, 4),
    ('business', 'Business', 6990, 69900, 60, 10000, 3000, 15, 100, 100, 200, NULL, 20, 2000, NULL, NULL, true, true, true, 5),
    ('self_hosted', 'Self-hosted', 0, 0, 6000, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, true, true, true, 6);

GRANT SELECT ON plan TO moltflow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON plan TO moltflow_system;

CREATE TABLE tenant (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    plan_id text NOT NULL REFERENCES plan (id),
    status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'suspended')),
    -- Whether API keys may read the history of chats.
    chat_history_access_enabled boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE tenant ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenant FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_own ON tenant TO moltflow_app
    USING (id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY tenant_all ON tenant TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, UPDATE ON tenant TO moltflow_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON tenant TO moltflow_system;

CREATE TABLE app_user (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    -- In lower case: a login is by e-mail alone, so it is unique across tenants.
    email text NOT NULL CHECK (email = lower(email)),
    full_name text NOT NULL,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'superadmin')),
    -- Argon2id, in the PHC form. NULL: cannot log in by password.
    password_hash text,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT app_user_email_key UNIQUE (email),
    CONSTRAINT app_user_tenant_id_id_key UNIQUE (tenant_id, id)
);
ALTER TABLE app_user ENABLE ROW LEVEL SECURITY;
ALTER TABLE app_user FORCE ROW LEVEL SECURITY;
CREATE POLICY app_user_own ON app_user TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY app_user_all ON app_user TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON app_user TO moltflow_app, moltflow_system;

CREATE TABLE api_key (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    -- Who made it. NULL: the command line.
    created_by uuid,
    name text NOT NULL CHECK (name <> ''),
    -- SHA-256 of the whole key; the key itself is nowhere.
    key_hash bytea NOT NULL CHECK (octet_length(key_hash) = 32),
    -- The first characters, for people to tell keys apart.
    key_prefix text NOT NULL,
    scopes text[] NOT NULL,
    expires_at timestamptz,
    last_used_at timestamptz,
    is_active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT api_key_key_hash_key UNIQUE (key_hash),
    CONSTRAINT api_key_tenant_id_id_key UNIQUE (tenant_id, id),
    FOREIGN KEY (tenant_id, created_by) REFERENCES app_user (tenant_id, id)
        ON DELETE SET NULL (created_by)
);
CREATE INDEX api_key_tenant_id_created_at_idx ON api_key (tenant_id, created_at DESC, id DESC);
ALTER TABLE api_key ENABLE ROW LEVEL SECURITY;
ALTER TABLE api_key FORCE ROW LEVEL SECURITY;
CREATE POLICY api_key_own ON api_key TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY api_key_all ON api_key TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON api_key TO moltflow_app, moltflow_system;

-- One row for each refresh token ever given out and not yet swept. All that descend from one
-- login are a family: a spent token that comes back is stolen, and revokes all of them.
CREATE TABLE refresh_token (
    token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    user_id uuid NOT NULL,
    family_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    spent_at timestamptz,
    revoked_at timestamptz,
    FOREIGN KEY (tenant_id, user_id) REFERENCES app_user (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX refresh_token_family_id_idx ON refresh_token (tenant_id, family_id);
CREATE INDEX refresh_token_user_id_idx ON refresh_token (tenant_id, user_id);
ALTER TABLE refresh_token ENABLE ROW LEVEL SECURITY;
ALTER TABLE refresh_token FORCE ROW LEVEL SECURITY;
CREATE POLICY refresh_token_own ON refresh_token TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY refresh_token_all ON refresh_token TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON refresh_token TO moltflow_app, moltflow_system;
