from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("vouchers", "0010_search"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "created_at", "id"],
                name="voucher_not_unused",
                condition=Q(is_unused=False),
            ),
        ),
        RemoveIndexConcurrently(model_name="voucher", name="voucher_used"),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "created_at", "id"],
                name="voucher_referral",
                condition=Q(is_referral_code=True),
            ),
        ),
    ]
