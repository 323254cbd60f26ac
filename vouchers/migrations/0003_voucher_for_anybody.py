from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # a big table stays in use while its index is made

    dependencies = [("vouchers", "0002_heart")]

    operations = [
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "-created_at", "-id"],
                name="voucher_for_anybody",
                condition=Q(campaign=None, holder=None, active=True, deleted_at=None),
            ),
        ),
    ]
