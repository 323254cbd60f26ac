"""What a redemption does to limits, as functions: one round trip each, and planned once per connection.

They are volatile, so that each of their statements sees what was committed while the one before it waited.
"""

from importlib import import_module

import django.db.models.deletion
from django.db import migrations, models

CLAIM_VOUCHERS = """
    CREATE FUNCTION claim_vouchers(
        unlimited_ids uuid[], limited_ids uuid[], wanted_quantities int[], wanted_credits bigint[],
        moment timestamptz, OUT noted int, OUT used jsonb
    ) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    BEGIN
        noted := 0;
        IF cardinality(unlimited_ids) > 0 THEN
            INSERT INTO vouchers_usageentry (voucher_id, quantity)
            SELECT id, 1 FROM vouchers_voucher
            WHERE id = ANY(unlimited_ids) AND quantity IS NULL AND active AND deleted_at IS NULL;
            GET DIAGNOSTICS noted = ROW_COUNT;
        END IF;
        IF cardinality(limited_ids) > 0 THEN
            PERFORM 1 FROM vouchers_voucher WHERE id = ANY(limited_ids) ORDER BY id FOR NO KEY UPDATE;
            WITH counted AS (
                UPDATE vouchers_voucher AS voucher
                SET redeemed_quantity = redeemed_quantity + wanted.quantity,
                    redeemed_amount = redeemed_amount + wanted.credits,
                    gift_balance = gift_balance - wanted.credits
                FROM unnest(limited_ids, wanted_quantities, wanted_credits) AS wanted (id, quantity, credits)
                CROSS JOIN LATERAL (
                    SELECT coalesce(sum(quantity), 0) AS quantity, coalesce(sum(amount), 0) AS amount
                    FROM redemptions_reservation WHERE voucher_id = wanted.id AND expires_at > moment
                ) AS held
                WHERE voucher.id = wanted.id AND voucher.active AND voucher.deleted_at IS NULL
                    AND (
                        voucher.quantity IS NULL
                        OR voucher.redeemed_quantity + held.quantity + wanted.quantity <= voucher.quantity
                    )
                    AND (voucher.gift_balance IS NULL OR voucher.gift_balance - held.amount >= wanted.credits)
                RETURNING voucher.id, voucher.redeemed_quantity, voucher.redeemed_amount, voucher.gift_balance
            )
            SELECT jsonb_agg(jsonb_build_array(id, redeemed_quantity, redeemed_amount, gift_balance))
            INTO used FROM counted;
        END IF;
    END
    $$
"""
DROP_CLAIM_VOUCHERS = "DROP FUNCTION claim_vouchers(uuid[], uuid[], int[], bigint[], timestamptz)"

ENTER_CHECKOUT = """
    CREATE FUNCTION enter_checkout(
        checkout_project uuid, expected_version bigint, locks bigint[], counted_by uuid[],
        unlimited_ids uuid[], limited_ids uuid[], wanted_quantities int[], wanted_credits bigint[],
        moment timestamptz, OUT version bigint, OUT has_counters boolean, OUT noted int, OUT used jsonb
    ) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
        one bigint;
    BEGIN
        FOREACH one IN ARRAY locks LOOP
            PERFORM pg_advisory_xact_lock_shared(one);
        END LOOP;
        SELECT definitions_version INTO version FROM core_project WHERE id = checkout_project;
        IF version = expected_version THEN
            SELECT claimed.noted, claimed.used INTO noted, used FROM claim_vouchers(
                unlimited_ids, limited_ids, wanted_quantities, wanted_credits, moment
            ) AS claimed;
            has_counters := EXISTS (
                SELECT 1 FROM redemptions_usagecounter WHERE object_id = ANY(counted_by)
            );
        END IF;
    END
    $$
"""
DROP_ENTER_CHECKOUT = """
    DROP FUNCTION enter_checkout(
        uuid, bigint, bigint[], uuid[], uuid[], uuid[], int[], bigint[], timestamptz
    )
"""
ENTER_BEFORE = import_module("redemptions.migrations.0003_enter_checkout").ENTER_CHECKOUT
DROP_ENTER_BEFORE = "DROP FUNCTION enter_checkout(uuid, bigint[], uuid[], uuid[])"


class Migration(migrations.Migration):
    dependencies = [("redemptions", "0003_enter_checkout"), ("core", "0002_heart")]

    operations = [
        migrations.RunSQL(DROP_ENTER_BEFORE, ENTER_BEFORE),
        migrations.RunSQL(CLAIM_VOUCHERS, DROP_CLAIM_VOUCHERS),
        migrations.RunSQL(ENTER_CHECKOUT, DROP_ENTER_CHECKOUT),
        *(
            migrations.AlterField(
                model_name=name,
                name="project",
                field=models.ForeignKey(
                    db_constraint=False,
                    editable=False,
                    on_delete=django.db.models.deletion.CASCADE,
                    related_name="+",
                    to="core.project",
                ),
            )
            for name in ("order", "redemption")
        ),
    ]
