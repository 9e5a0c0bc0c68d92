-- What is needed to notice that a session is no longer well, and to bring it back.

ALTER TABLE wa_session
    -- The account's hidden id.
    ADD COLUMN lid text,
    -- When it first worked after being paired.
    ADD COLUMN paired_at timestamptz,
    -- Messages until then were fetched, and when somebody last set out to fetch some.
    ADD COLUMN caught_up_at timestamptz,
    ADD COLUMN caught_up_attempt_at timestamptz,
    -- Since when it stands where it stands, and since when it no longer works, by our clock.
    ADD COLUMN status_since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN down_since timestamptz,
    -- How often it was restarted since it last proved to be alive, and when it is next.
    -- 'infinity': it was given up on.
    ADD COLUMN recovery_attempts integer NOT NULL DEFAULT 0,
    ADD COLUMN recovery_next_at timestamptz,
    -- When the engine was last asked whether a silent session is alive.
    ADD COLUMN probed_at timestamptz;

-- Row security is forced, so that the owner of the table sees no rows.
SET LOCAL ROLE moltflow_system;
-- What was missed before the upgrade stays so: nobody is told now of what is days old.
UPDATE wa_session SET paired_at = created_at, caught_up_at = now() WHERE phone_number IS NOT NULL;
UPDATE wa_session SET down_since = now() WHERE status <> 'working';
RESET ROLE;
