-- The two roles that transactions run as. Only they have policies, and every table forces row
-- security on its owner, too. The login that migrates is that owner; as a member it inherits
-- what the roles see, so nothing is read but in a transaction that has become one of them.
--
--   moltflow_app     one tenant at a time, the one named by app.tenant_id
--   moltflow_system  all tenants, for the few jobs that cross them
--
-- Safe to run again, and by several at once. Roles belong to the cluster, not to the
-- database, so another database's server may be creating them at this moment.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['moltflow_app', 'moltflow_system'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL;
            END;
        END IF;
        -- Since PostgreSQL 16 whoever creates a role may grant it, but not become it: that
        -- first membership comes from the bootstrap superuser (oid 10) and does not count.
        IF NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
            AND NOT EXISTS (
                SELECT FROM pg_auth_members m
                JOIN pg_roles r ON r.oid = m.roleid
                WHERE r.rolname = wanted
                    AND m.member = (SELECT oid FROM pg_roles WHERE rolname = current_user)
                    AND NOT (m.grantor = 10 AND m.admin_option)
            )
        THEN
            BEGIN
                EXECUTE format('GRANT %I TO %I', wanted, current_user);
            EXCEPTION WHEN unique_violation THEN
                -- Another server with the same login was a moment quicker.
                NULL;
            END;
        END IF;
    END LOOP;
END
$$;
