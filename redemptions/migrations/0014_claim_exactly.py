"""Entering a checkout and claiming, as part of the statement that writes its redemptions: see `claim.py`."""

from django.db import migrations

CLAIM_EXACTLY = """
    CREATE FUNCTION claim_exactly(
        checkout_project uuid, expected_version bigint, locks bigint[], counted_by uuid[],
        unlimited_ids uuid[], limited_ids uuid[], wanted_quantities int[], wanted_credits bigint[],
        moment timestamptz, expected jsonb, by_customer uuid
    ) RETURNS boolean LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
        entered record;
        left_standing jsonb;
    BEGIN
        entered := enter_checkout(
            checkout_project, expected_version, locks, counted_by,
            unlimited_ids, limited_ids, wanted_quantities, wanted_credits, moment
        );
        IF entered.version = expected_version AND NOT entered.has_counters
            AND entered.noted = cardinality(unlimited_ids)
            AND (
                by_customer IS NULL
                OR EXISTS (
                    SELECT 1 FROM customers_customer WHERE id = by_customer AND merged_into_id IS NULL
                )
            )
        THEN
            SELECT coalesce(jsonb_object_agg(one ->> 0, one), '{}') INTO left_standing
            FROM jsonb_array_elements(coalesce(entered.used, '[]')) AS one;
        END IF;
        IF left_standing IS DISTINCT FROM expected THEN
            RAISE EXCEPTION 'Another request was using the same redeemables'
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN true;
    END
    $$
"""
DROP_CLAIM_EXACTLY = """
    DROP FUNCTION claim_exactly(
        uuid, bigint, bigint[], uuid[], uuid[], uuid[], int[], bigint[], timestamptz, jsonb, uuid
    )
"""


class Migration(migrations.Migration):
    dependencies = [("redemptions", "0013_export_formats"), ("customers", "0012_merged_guests")]

    operations = [migrations.RunSQL(CLAIM_EXACTLY, DROP_CLAIM_EXACTLY)]
