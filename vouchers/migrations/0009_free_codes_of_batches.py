from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [("vouchers", "0008_batches")]

    operations = [
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["campaign", "batch", "id"],
                name="voucher_free_of_batch",
                condition=models.Q(published_count=0, active=True, deleted_at=None, is_unused=True),
            ),
        ),
        RemoveIndexConcurrently(model_name="voucher", name="voucher_free"),
    ]
