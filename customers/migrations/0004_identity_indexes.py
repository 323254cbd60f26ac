from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a big table stays in use while its index is made

    dependencies = [("customers", "0003_identities")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=GinIndex(fields=["identity_keys"], name="customer_identity_keys"),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.UniqueConstraint(
                fields=("project", "tracking_id"), name="customer_tracking_id_unique"
            ),
        ),
    ]
