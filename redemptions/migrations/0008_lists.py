import django.db.models.deletion
from django.db import migrations, models

from promoengine.core.partitions import AddPartitionedIndexConcurrently


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("campaigns", "0003_who_is_one_customer"),
        ("core", "0002_heart"),
        ("customers", "0006_lists"),
        ("redemptions", "0007_orders_of_their_own"),
        ("vouchers", "0004_unused"),
    ]

    operations = [
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(fields=["project", "created_at", "id"], name="redemption_created"),
        ),
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(fields=["project", "voucher_code", "id"], name="redemption_code"),
        ),
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(fields=["project", "tracking_id", "id"], name="redemption_tracking"),
        ),
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(
                condition=models.Q(("result", "FAILURE")),
                fields=["project", "created_at", "id"],
                name="redemption_failed",
            ),
        ),
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(
                condition=models.Q(("kind", "redemption_rollback")),
                fields=["project", "created_at", "id"],
                name="rollback_created",
            ),
        ),
        migrations.RemoveIndex(
            model_name="redemption",
            name="redemption_newest",
        ),
        migrations.AlterField(
            model_name="redemption",
            name="project",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="core.project",
            ),
        ),
    ]
