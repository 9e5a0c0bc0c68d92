-- Whom a session talks with, where, and what was said.

CREATE TABLE contact (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    -- Digits. A person is known by phone, by hidden id, or by both.
    phone text,
    lid text,
    -- The name that they give themselves.
    push_name text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CHECK (phone IS NOT NULL OR lid IS NOT NULL),
    CONSTRAINT contact_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT contact_session_id_phone_key UNIQUE (tenant_id, session_id, phone),
    CONSTRAINT contact_session_id_lid_key UNIQUE (tenant_id, session_id, lid),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
ALTER TABLE contact ENABLE ROW LEVEL SECURITY;
ALTER TABLE contact FORCE ROW LEVEL SECURITY;
CREATE POLICY contact_own ON contact TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY contact_all ON contact TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON contact TO moltflow_app, moltflow_system;

CREATE TABLE chat (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    -- WhatsApp's name of the conversation, in its one normal form.
    jid text NOT NULL,
    is_group boolean NOT NULL,
    name text,
    contact_id uuid,
    unread_count integer NOT NULL DEFAULT 0,
    message_count bigint NOT NULL DEFAULT 0,
    last_message_preview text,
    last_message_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT chat_tenant_id_id_key UNIQUE (tenant_id, id),
    CONSTRAINT chat_session_id_id_key UNIQUE (tenant_id, session_id, id),
    CONSTRAINT chat_session_id_jid_key UNIQUE (tenant_id, session_id, jid),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE,
    FOREIGN KEY (tenant_id, contact_id) REFERENCES contact (tenant_id, id)
        ON DELETE SET NULL (contact_id)
);
-- What sending updates is in no index, so that the row can stay where it is.
ALTER TABLE chat SET (fillfactor = 80);
CREATE INDEX chat_tenant_id_contact_id_idx ON chat (tenant_id, contact_id);
ALTER TABLE chat ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat FORCE ROW LEVEL SECURITY;
CREATE POLICY chat_own ON chat TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY chat_all ON chat TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON chat TO moltflow_app, moltflow_system;

CREATE TABLE message (
    id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    chat_id uuid NOT NULL,
    -- WhatsApp's bare id. NULL while the engine has not said which, or never will.
    wa_message_id text,
    direction text NOT NULL CHECK (direction IN ('inbound', 'outbound')),
    message_type text NOT NULL,
    content text,
    content_preview text,
    status text NOT NULL
        CHECK (status IN ('pending', 'sent', 'delivered', 'read', 'played', 'failed')),
    media jsonb,
    sender_phone text,
    sender_name text,
    is_group boolean NOT NULL,
    reply_to text,
    error text,
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),

    -- The outbox: what is needed while the message is pending, and meaningless afterwards.
    -- Whether it may wait for its session; otherwise it fails at the first attempt.
    outbox_queue boolean NOT NULL DEFAULT false,
    -- Until when it may wait.
    outbox_expires_at timestamptz,
    -- When it may be tried again.
    outbox_next_at timestamptz,
    -- Who is at it, and until when that is believed. Every write by a holder names its claim.
    outbox_claim_id uuid,
    outbox_lease_until timestamptz,
    -- Set before the engine is asked, cleared when the engine certainly did nothing: a row
    -- that has it may have been sent.
    outbox_attempt_at timestamptz,
    outbox_attempts integer NOT NULL DEFAULT 0,
    -- It was given up on without knowing whether it was sent: a report that it was counts.
    outbox_unknown boolean NOT NULL DEFAULT false,

    CONSTRAINT message_tenant_id_id_key UNIQUE (tenant_id, id),
    -- In this order it also serves the look-up by WhatsApp's id alone.
    CONSTRAINT message_wa_message_id_key UNIQUE (tenant_id, wa_message_id, session_id),
    -- Through the chat to the session: so a message can only be in a chat of its own session.
    FOREIGN KEY (tenant_id, session_id, chat_id) REFERENCES chat (tenant_id, session_id, id)
        ON DELETE CASCADE
);
CREATE INDEX message_chat_id_created_at_idx ON message (tenant_id, chat_id, created_at DESC, id DESC);
-- What waits, by session and in the order accepted.
CREATE INDEX message_outbox_idx ON message (session_id, created_at, id)
    WHERE status = 'pending' AND direction = 'outbound';
ALTER TABLE message ENABLE ROW LEVEL SECURITY;
ALTER TABLE message FORCE ROW LEVEL SECURITY;
CREATE POLICY message_own ON message TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY message_all ON message TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON message TO moltflow_app, moltflow_system;
