from django.db import migrations

# Volatile, so that each of its statements sees what was committed while the one before it waited.
ENTER_CHECKOUT = """
    CREATE FUNCTION enter_checkout(project uuid, locks bigint[], counted_by uuid[], limited uuid[])
    RETURNS TABLE (version bigint, has_counters boolean) LANGUAGE plpgsql VOLATILE AS $$
    DECLARE
        one bigint;
    BEGIN
        FOREACH one IN ARRAY locks LOOP
            PERFORM pg_advisory_xact_lock_shared(one);
        END LOOP;
        PERFORM 1 FROM vouchers_voucher WHERE id = ANY(limited) ORDER BY id FOR NO KEY UPDATE;
        RETURN QUERY SELECT core_project.definitions_version, EXISTS (
            SELECT 1 FROM redemptions_usagecounter WHERE object_id = ANY(counted_by)
        ) FROM core_project WHERE id = project;
    END
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("redemptions", "0002_heart"), ("vouchers", "0002_heart")]

    operations = [
        migrations.RunSQL(ENTER_CHECKOUT, "DROP FUNCTION enter_checkout(uuid, bigint[], uuid[], uuid[])"),
    ]
