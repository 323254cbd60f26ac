import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

from promoengine.core.partitions import AddPartitionedIndexConcurrently


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("core", "0010_imports"),
        ("redemptions", "0014_claim_exactly"),
    ]

    operations = [
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(fields=["voucher", "created_at", "id"], name="redemption_voucher_created"),
        ),
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(fields=["campaign", "created_at", "id"], name="redemption_campaign_created"),
        ),
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=models.Index(
                fields=["project", "created_at", "id"],
                name="redemption_rolled_back",
                condition=Q(status="ROLLED_BACK"),
            ),
        ),
        migrations.RemoveIndex(model_name="redemption", name="redemption_of_voucher"),
        migrations.RemoveIndex(model_name="redemption", name="redemption_of_campaign"),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(fields=["project", "created_at", "id"], name="order_created"),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(fields=["project", "status", "created_at", "id"], name="order_of_status"),
        ),
        RemoveIndexConcurrently(model_name="order", name="order_newest"),
        migrations.AlterField(
            model_name="order",
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
