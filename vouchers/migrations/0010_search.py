import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models import Q

import vouchers.codes


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("campaigns", "0005_rollback_policy"),
        ("core", "0008_definitions_versions"),
        ("customers", "0011_whole_list_indexes"),
        ("vouchers", "0009_free_codes_of_batches"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["holder", "created_at", "id"],
                name="voucher_held",
                condition=Q(holder__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["category", "created_at", "id"],
                name="voucher_of_category",
                condition=Q(category__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "created_at", "id"], name="voucher_disabled", condition=Q(active=False)
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "created_at", "id"],
                name="voucher_used",
                condition=Q(is_unused=False, quantity__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "created_at", "id"],
                name="voucher_with_balance",
                condition=Q(gift_amount__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "start_date", "id"],
                name="voucher_start",
                condition=Q(start_date__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                fields=["project", "expiration_date", "id"],
                name="voucher_expiration",
                condition=Q(expiration_date__isnull=False),
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    vouchers.codes.BareCode("code_key"), name="gin_trgm_ops"
                ),
                name="voucher_code_fragments",
            ),
        ),
        # How often a fragment is, the planner tells by this many codes; by a hundred it would only guess.
        migrations.RunSQL(
            "ALTER INDEX voucher_code_fragments ALTER COLUMN 1 SET STATISTICS 1000", migrations.RunSQL.noop
        ),
        RemoveIndexConcurrently(model_name="voucher", name="voucher_code_search"),
        migrations.AlterField(
            model_name="voucher",
            name="category",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="campaigns.category",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="holder",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="customers.customer",
            ),
        ),
    ]
