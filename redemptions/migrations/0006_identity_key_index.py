from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

from promoengine.core.partitions import AddPartitionedIndexConcurrently


class Migration(migrations.Migration):
    atomic = False  # a big table stays in use while its index is made

    dependencies = [("redemptions", "0005_identity_keys")]

    operations = [
        AddPartitionedIndexConcurrently(
            model_name="redemption",
            index=GinIndex(
                condition=models.Q(("identity_keys", None), _negated=True),
                fields=["identity_keys"],
                name="redemption_identity_keys",
            ),
        ),
    ]
