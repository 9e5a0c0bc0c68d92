-- The event log by days, so that what is old goes by dropping a table. And whole envelopes in
-- it: webhooks and streams send the very bytes that were written with the change.

ALTER TABLE event RENAME TO event_before;
ALTER TABLE event_before RENAME CONSTRAINT event_pkey TO event_before_pkey;
ALTER INDEX event_tx_seq_idx RENAME TO event_before_tx_seq_idx;
ALTER INDEX event_session_id_idx RENAME TO event_before_session_id_idx;

CREATE TABLE event (
    id uuid NOT NULL,
    tenant_id uuid NOT NULL REFERENCES tenant (id) ON DELETE CASCADE,
    -- No foreign key: the log outlives what it tells of.
    session_id uuid,
    name text NOT NULL,
    -- The envelope, as it is sent: {"id", "event", "timestamp", "data"}.
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    seq bigint GENERATED ALWAYS AS IDENTITY,
    PRIMARY KEY (id, created_at)
) PARTITION BY RANGE (created_at);
CREATE INDEX event_tx_seq_idx ON event (tx, seq);
CREATE INDEX event_session_id_idx ON event (tenant_id, session_id, tx, seq);
CREATE INDEX event_created_at_idx ON event (tenant_id, created_at);
ALTER TABLE event ENABLE ROW LEVEL SECURITY;
ALTER TABLE event FORCE ROW LEVEL SECURITY;
CREATE POLICY event_own ON event TO moltflow_app
    USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
CREATE POLICY event_all ON event TO moltflow_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON event TO moltflow_app;
GRANT SELECT, INSERT, DELETE ON event TO moltflow_system;
-- After a dump was restored into another cluster: see Store::migrate.
GRANT UPDATE (tx) ON event TO moltflow_system;

-- What has no day of its own: while nobody made the day's table, or the clock was far off.
CREATE TABLE event_default PARTITION OF event DEFAULT;
ALTER TABLE event_default ENABLE ROW LEVEL SECURITY;
ALTER TABLE event_default FORCE ROW LEVEL SECURITY;

-- Makes the tables of these days, UTC, the last included; those that are there stay. A day of
-- which the default table holds something already is left to it.
CREATE FUNCTION moltflow_make_event_days(first_day date, last_day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    day date := first_day;
    part text;
BEGIN
    WHILE day <= last_day LOOP
        part := 'event_' || to_char(day, 'YYYYMMDD');
        IF to_regclass(part) IS NULL THEN
            BEGIN
                -- Made on its own and then attached: that locks out nobody who writes.
                EXECUTE format('CREATE TABLE %I (LIKE event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
                EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', part);
                EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', part);
                EXECUTE format(
                    'ALTER TABLE event ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    part, day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
            EXCEPTION WHEN check_violation THEN
                NULL;
            END;
        END IF;
        day := day + 1;
    END LOOP;
END
$$;

-- The login sees no rows by itself.
SET LOCAL ROLE moltflow_system;
SELECT set_config('moltflow.first_day', greatest(
    coalesce(min((created_at AT TIME ZONE 'UTC')::date), (now() AT TIME ZONE 'UTC')::date),
    (now() AT TIME ZONE 'UTC')::date - 60)::text, true),
    set_config('moltflow.last_seq', greatest(coalesce(max(seq), 1), 1)::text, true)
FROM event_before;
RESET ROLE;
SELECT moltflow_make_event_days(
    current_setting('moltflow.first_day')::date, (now() AT TIME ZONE 'UTC')::date + 3);

SET LOCAL ROLE moltflow_system;
INSERT INTO event (id, tenant_id, session_id, name, body, created_at, tx, seq)
OVERRIDING SYSTEM VALUE
SELECT id, tenant_id, session_id, name,
    format('{"id":"%s","event":"%s","timestamp":"%s","data":%s}', id, name,
        to_char(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), data),
    created_at, tx, seq
FROM event_before;
RESET ROLE;
SELECT setval(pg_get_serial_sequence('event', 'seq'), current_setting('moltflow.last_seq')::bigint);
DROP TABLE event_before;
