-- What becomes of a message after it was written, and where it stands in its chat.

ALTER TABLE contact
    -- The name in the address book of the session's phone.
    ADD COLUMN name text,
    -- When the writing was sent from which the push name is: a later one wins.
    ADD COLUMN push_name_at timestamptz,
    -- When the engine was last asked whose hidden id this is.
    ADD COLUMN lid_asked_at timestamptz;
-- Those whose number is not known: whom to ask about next.
CREATE INDEX contact_unresolved_idx ON contact (lid_asked_at NULLS FIRST) WHERE phone IS NULL;

ALTER TABLE chat
    -- The same person's chat under the name that counts: this row is an alias, and empty.
    ADD COLUMN merged_into uuid,
    -- What was written until then is read.
    ADD COLUMN read_at timestamptz,
    ADD CONSTRAINT chat_merged_into_fkey FOREIGN KEY (tenant_id, session_id, merged_into)
        REFERENCES chat (tenant_id, session_id, id) ON DELETE CASCADE,
    ADD CONSTRAINT chat_merged_into_check CHECK (merged_into <> id);
CREATE INDEX chat_merged_into_idx ON chat (tenant_id, session_id, merged_into)
    WHERE merged_into IS NOT NULL;

ALTER TABLE message
    -- What is not text: a place, contact cards, a poll's options.
    ADD COLUMN extra jsonb,
    ADD COLUMN edited_at timestamptz,
    ADD COLUMN revoked_at timestamptz,
    ADD COLUMN starred boolean NOT NULL DEFAULT false,
    -- Who wrote it, in a group.
    ADD COLUMN sender_contact_id uuid,
    -- It came with an old history, and is nothing new to anybody.
    ADD COLUMN quiet boolean NOT NULL DEFAULT false,
    -- Whether the text may stay once it is through; otherwise only its beginning does.
    ADD COLUMN keep_content boolean NOT NULL DEFAULT true,
    -- WhatsApp's time, which counts seconds; of what we send, when it was accepted. History is
    -- in this order, then by id.
    ADD COLUMN sort_at timestamptz,
    ADD CONSTRAINT message_sender_contact_id_fkey FOREIGN KEY (tenant_id, sender_contact_id)
        REFERENCES contact (tenant_id, id) ON DELETE SET NULL (sender_contact_id);
-- Written as a change of type, which is above row security. Only what we sent was ever due.
ALTER TABLE message
    ALTER COLUMN sort_at TYPE timestamptz USING date_trunc('second',
        CASE WHEN outbox_next_at IS NULL THEN coalesce(sent_at, created_at) ELSE created_at END);
ALTER TABLE message
    ALTER COLUMN sort_at SET DEFAULT date_trunc('second', now()),
    ALTER COLUMN sort_at SET NOT NULL;
DROP INDEX message_chat_id_created_at_idx;
CREATE INDEX message_chat_id_sort_at_idx ON message (tenant_id, chat_id, sort_at DESC, id DESC);
-- Where the foreign keys to the chat and from a contact find their rows.
CREATE INDEX message_sender_contact_id_idx ON message (tenant_id, sender_contact_id);
