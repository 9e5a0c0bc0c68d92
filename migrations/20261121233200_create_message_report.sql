-- What was reported about messages, in whatever order the reports come.

-- Reports about a message that is not known yet. It takes them over when it comes.
CREATE TABLE message_mark (
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    wa_message_id text NOT NULL,
    -- Of an edit, or of taking back, who did it and where: it counts for a message that they may
    -- change. Nobody else's report can take its place. Of the rest, which WhatsApp itself says,
    -- there is one row with nothing here.
    chat_jid text NOT NULL DEFAULT '',
    from_me boolean NOT NULL DEFAULT false,
    writer text NOT NULL DEFAULT '',
    -- The furthest of those reported.
    status text CHECK (status IN ('sent', 'delivered', 'read', 'played', 'failed')),
    error text,
    -- The earliest times reported.
    sent_at timestamptz,
    delivered_at timestamptz,
    read_at timestamptz,
    -- The newest text.
    edited_content text,
    edited_at timestamptz,
    revoked_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (tenant_id, session_id, wa_message_id, chat_jid, from_me, writer),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
-- What nobody came for is swept.
CREATE INDEX message_mark_updated_at_idx ON message_mark (updated_at);
ALTER TABLE message_mark ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_mark FORCE ROW LEVEL SECURITY;
CREATE POLICY message_mark_own ON message_mark TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY message_mark_all ON message_mark TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON message_mark TO moltflow_app, moltflow_system;

-- Keyed by WhatsApp's id and not by ours: a reaction may come before the message.
CREATE TABLE message_reaction (
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    wa_message_id text NOT NULL,
    -- A JID, or `me`.
    sender text NOT NULL,
    -- Empty: taken back. The row stays, so that an older reaction does not come back.
    emoji text NOT NULL,
    from_me boolean NOT NULL,
    reacted_at timestamptz NOT NULL,
    -- It was made through this server, which knows the order of such.
    made_here boolean NOT NULL DEFAULT false,
    PRIMARY KEY (tenant_id, session_id, wa_message_id, sender),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
-- For when a hidden id turns out to be a number's.
CREATE INDEX message_reaction_sender_idx ON message_reaction (tenant_id, session_id, sender);
ALTER TABLE message_reaction ENABLE ROW LEVEL SECURITY;
ALTER TABLE message_reaction FORCE ROW LEVEL SECURITY;
CREATE POLICY message_reaction_own ON message_reaction TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY message_reaction_all ON message_reaction TO moltflow_system
    USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON message_reaction TO moltflow_app, moltflow_system;

CREATE TABLE poll_vote (
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    session_id uuid NOT NULL,
    -- The poll's.
    wa_message_id text NOT NULL,
    -- A JID, or `me`.
    voter text NOT NULL,
    -- All that they chose. Empty: taken back.
    options text[] NOT NULL,
    voted_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, session_id, wa_message_id, voter),
    FOREIGN KEY (tenant_id, session_id) REFERENCES wa_session (tenant_id, id) ON DELETE CASCADE
);
CREATE INDEX poll_vote_voter_idx ON poll_vote (tenant_id, session_id, voter);
ALTER TABLE poll_vote ENABLE ROW LEVEL SECURITY;
ALTER TABLE poll_vote FORCE ROW LEVEL SECURITY;
CREATE POLICY poll_vote_own ON poll_vote TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY poll_vote_all ON poll_vote TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON poll_vote TO moltflow_app, moltflow_system;
