-- What a tenant wants kept, and for how long.

ALTER TABLE tenant
    -- NULL: for ever.
    ADD COLUMN message_retention_days integer
        CONSTRAINT tenant_message_retention_days_check
        CHECK (message_retention_days BETWEEN 1 AND 3650),
    -- How much of a message's text is kept.
    ADD COLUMN store_message_content text NOT NULL DEFAULT 'full'
        CONSTRAINT tenant_store_message_content_check
        CHECK (store_message_content IN ('full', 'preview'));
