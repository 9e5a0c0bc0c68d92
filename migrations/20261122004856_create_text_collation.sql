-- What people search for is found in whatever case, in every language. The cluster's own locale
-- may be C, which knows the case of ASCII letters only, and not every PostgreSQL has ICU.
DO $$
BEGIN
    BEGIN
        CREATE COLLATION moltflow_text (provider = icu, locale = 'und');
    EXCEPTION WHEN OTHERS THEN
        BEGIN
            CREATE COLLATION moltflow_text (provider = libc, locale = 'C.UTF-8');
        EXCEPTION WHEN OTHERS THEN
            CREATE COLLATION moltflow_text FROM "C";
        END;
    END;
END
$$;
