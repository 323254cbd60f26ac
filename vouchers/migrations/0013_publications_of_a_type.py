from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

BATCH = 50_000
NEXT = """
    SELECT max(id::text)::uuid FROM (
        SELECT id FROM vouchers_publication WHERE %(after)s::uuid IS NULL OR id > %(after)s::uuid
        ORDER BY id LIMIT %(batch)s
    ) AS next
"""
TELL_TYPES = """
    UPDATE vouchers_publication AS publication
    SET voucher_type = coalesce(
        (SELECT type FROM vouchers_voucher WHERE id = publication.voucher_ids[1]),
        (
            SELECT CASE campaign_type
                WHEN 'DISCOUNT_COUPONS' THEN 'DISCOUNT_VOUCHER'
                WHEN 'REFERRAL_PROGRAM' THEN 'DISCOUNT_VOUCHER'
                WHEN 'GIFT_VOUCHERS' THEN 'GIFT_VOUCHER'
                WHEN 'LOYALTY_PROGRAM' THEN 'LOYALTY_CARD'
            END
            FROM campaigns_campaign WHERE id = publication.campaign_id
        ),
        ''
    )
    WHERE (%(after)s::uuid IS NULL OR id > %(after)s::uuid) AND id <= %(until)s AND voucher_type = ''
"""


def tell_types(apps, schema_editor):
    """Give the publications there are the type of their codes, so many at a time that nobody waits long."""
    after = None
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(NEXT, {"after": after, "batch": BATCH})
            (until,) = cursor.fetchone()
            if until is None:
                return
            cursor.execute(TELL_TYPES, {"after": after, "until": until})
            after = until


class Migration(migrations.Migration):
    atomic = False  # a big table stays in use meanwhile, and what is told once is not told again

    dependencies = [("campaigns", "0005_rollback_policy"), ("vouchers", "0012_publication_type")]

    operations = [
        migrations.RunPython(tell_types, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(
                fields=["project", "voucher_type", "created_at", "id"], name="publication_of_type"
            ),
        ),
    ]
