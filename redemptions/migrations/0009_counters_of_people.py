from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # a big table stays in use while its index is made

    dependencies = [("redemptions", "0008_lists")]

    operations = [
        AddIndexConcurrently(
            model_name="usagecounter",
            index=models.Index(fields=["subject"], name="usage_counter_of_subject"),
        ),
    ]
