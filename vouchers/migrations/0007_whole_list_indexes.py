from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("campaigns", "0005_rollback_policy"),
        ("core", "0008_definitions_versions"),
        ("customers", "0011_whole_list_indexes"),
        ("vouchers", "0006_changed_vouchers"),
    ]

    operations = [
        RemoveIndexConcurrently(
            model_name="voucher",
            name="voucher_created",
        ),
        RemoveIndexConcurrently(
            model_name="voucher",
            name="voucher_updated",
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(fields=["project", "created_at", "id"], name="voucher_created"),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                models.F("project"),
                models.OrderBy(models.F("updated_at"), nulls_first=True),
                models.F("id"),
                name="voucher_updated",
            ),
        ),
    ]
