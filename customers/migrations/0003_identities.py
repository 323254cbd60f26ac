import django.contrib.postgres.fields
from django.db import migrations, models

from customers.identities import identity_keys
from customers.tracking import tracking_id_of

BATCH = 1000


def tell_apart(apps, schema_editor):
    """Give the customers there are what a new one gets when it is made."""
    customers = apps.get_model("customers", "Customer").objects.filter(deleted_at=None).order_by("pk")
    batch = list(customers[:BATCH])
    while batch:
        for one in batch:
            country = (one.address or {}).get("country")
            fields = {"email": one.email, "phone": one.phone, "address": one.address}
            one.identity_keys = identity_keys(one.project_id, fields, country=country)
            one.tracking_id = tracking_id_of(one.source_id) if one.source_id else None
        customers.bulk_update(batch, ["identity_keys", "tracking_id"])
        batch = list(customers.filter(pk__gt=batch[-1].pk)[:BATCH])


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_heart")]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="tracking_id",
            field=models.CharField(editable=False, max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="customer",
            name="identity_keys",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64), default=list, editable=False, size=None
            ),
        ),
        migrations.RunPython(tell_apart, migrations.RunPython.noop),
    ]
