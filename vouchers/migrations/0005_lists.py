import django.contrib.postgres.indexes
import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("campaigns", "0003_who_is_one_customer"),
        ("core", "0002_heart"),
        ("customers", "0006_lists"),
        ("vouchers", "0004_unused"),
    ]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="voucher_code",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="The first of its codes.", max_length=255
            ),
        ),
        migrations.RunSQL(
            "UPDATE vouchers_publication AS publication SET voucher_code = voucher.code"
            " FROM vouchers_voucher AS voucher WHERE voucher.id = publication.voucher_ids[1]",
            migrations.RunSQL.noop,
        ),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(fields=["project", "created_at", "id"], name="publication_created"),
        ),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(fields=["project", "channel", "id"], name="publication_channel"),
        ),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(fields=["project", "tracking_id", "id"], name="publication_tracking"),
        ),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(fields=["project", "voucher_code", "id"], name="publication_code"),
        ),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(fields=["campaign", "created_at", "id"], name="publication_of_campaign"),
        ),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(
                condition=models.Q(("source_id", None), _negated=True),
                fields=["project", "source_id"],
                name="publication_source",
            ),
        ),
        AddIndexConcurrently(
            model_name="publication",
            index=models.Index(
                condition=models.Q(("result", "FAILURE")),
                fields=["project", "created_at", "id"],
                name="publication_failed",
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                condition=models.Q(("deleted_at", None)),
                fields=["project", "created_at", "id"],
                name="voucher_created",
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(
                models.F("project"),
                models.OrderBy(models.F("updated_at"), nulls_first=True),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="voucher_updated",
            ),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=models.Index(fields=["campaign", "created_at", "id"], name="voucher_campaign_created"),
        ),
        AddIndexConcurrently(
            model_name="voucher",
            index=django.contrib.postgres.indexes.GinIndex(fields=["metadata"], name="voucher_metadata"),
        ),
        RemoveIndexConcurrently(
            model_name="publication",
            name="publication_newest",
        ),
        RemoveIndexConcurrently(
            model_name="voucher",
            name="voucher_newest",
        ),
        RemoveIndexConcurrently(
            model_name="voucher",
            name="voucher_of_campaign",
        ),
        migrations.AlterField(
            model_name="publication",
            name="campaign",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="campaigns.campaign",
            ),
        ),
        migrations.AlterField(
            model_name="publication",
            name="customer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="publication",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="core.project",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="campaign",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="campaigns.campaign",
            ),
        ),
        migrations.AlterField(
            model_name="voucher",
            name="project",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="core.project",
            ),
        ),
    ]
