import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import F


class Migration(migrations.Migration):
    """Orders have referrers, one more status, and are listed by when they last changed."""

    atomic = False

    dependencies = [
        ("customers", "0002_heart"),
        ("redemptions", "0006_identity_key_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="order",
            name="referrer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="order",
            name="status",
            field=models.CharField(
                choices=[
                    ("CREATED", "Created"),
                    ("PAID", "Paid"),
                    ("PROCESSING", "Processing"),
                    ("CANCELED", "Canceled"),
                    ("FULFILLED", "Fulfilled"),
                ],
                default="CREATED",
                max_length=10,
            ),
        ),
        AddIndexConcurrently(
            model_name="order",
            index=models.Index(
                F("project"), F("updated_at").desc(nulls_last=True), F("id").desc(), name="order_updated"
            ),
        ),
    ]
