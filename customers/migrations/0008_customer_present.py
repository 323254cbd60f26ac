from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a big table stays in use while its index is made

    dependencies = [("customers", "0007_segment_syncs")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                fields=["project", "id"], name="customer_present", condition=models.Q(deleted_at=None)
            ),
        ),
    ]
