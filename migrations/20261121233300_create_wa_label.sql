-- WhatsApp's own labels, as the phone has them. The newest report of each counts.

CREATE TABLE wa_label (
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    wa_label_id text NOT NULL,
    name text NOT NULL,
    -- WhatsApp's number of the colour, and the colour, `#RRGGBB`.
    color integer NOT NULL,
    color_hex text NOT NULL,
    -- The row stays, so that an older report does not bring it back.
    deleted boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, session_id, wa_label_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
ALTER TABLE wa_label ENABLE ROW LEVEL SECURITY;
ALTER TABLE wa_label FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_label_own ON wa_label TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY wa_label_all ON wa_label TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON wa_label TO moltflow_app, moltflow_system;

-- Which chats have them. Neither the label nor the chat need be known.
CREATE TABLE wa_label_chat (
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    wa_label_id text NOT NULL,
    jid text NOT NULL,
    -- Whether it has it. A row without stays, for the same reason.
    present boolean NOT NULL,
    updated_at timestamptz NOT NULL,
    -- Chats are asked for their labels more often than labels for their chats.
    PRIMARY KEY (tenant_id, session_id, jid, wa_label_id),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX wa_label_chat_wa_label_id_idx ON wa_label_chat (tenant_id, session_id, wa_label_id);
ALTER TABLE wa_label_chat ENABLE ROW LEVEL SECURITY;
ALTER TABLE wa_label_chat FORCE ROW LEVEL SECURITY;
CREATE POLICY wa_label_chat_own ON wa_label_chat TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY wa_label_chat_all ON wa_label_chat TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON wa_label_chat TO moltflow_app, moltflow_system;
