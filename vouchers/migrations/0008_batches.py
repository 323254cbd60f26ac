import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import promoengine.core.ids

KEY = models.UUIDField(default=promoengine.core.ids.new_id, editable=False, primary_key=True, serialize=False)
PROJECT = models.ForeignKey(
    editable=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="core.project"
)


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0005_rollback_policy"),
        ("core", "0008_definitions_versions"),
        ("customers", "0011_whole_list_indexes"),
        ("vouchers", "0007_whole_list_indexes"),
    ]

    operations = [
        migrations.CreateModel(
            name="CodeBatch",
            fields=[
                ("id", KEY),
                ("project", PROJECT),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=255)),
                ("count", models.PositiveIntegerField(default=0, editable=False)),
                ("locked_until", models.DateTimeField(blank=True, null=True)),
                ("one_per_person", models.BooleanField(default=False)),
                ("created_at", models.DateTimeField(editable=False)),
                ("updated_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "verbose_name_plural": "code batches",
                "indexes": [
                    models.Index(fields=["campaign", "id"], name="batch_of_campaign"),
                    models.Index(
                        fields=["project"],
                        name="batch_locked",
                        condition=models.Q(("locked_until", None), _negated=True),
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PoolAlert",
            fields=[
                ("id", KEY),
                ("project", PROJECT),
                (
                    "campaign",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                ("threshold", models.PositiveIntegerField()),
                (
                    "emails",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.EmailField(max_length=320), blank=True, default=list, size=None
                    ),
                ),
                ("low_since", models.DateTimeField(editable=False, null=True)),
                (
                    "free_count",
                    models.PositiveIntegerField(
                        editable=False, help_text="When it was found low.", null=True
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ServedPerson",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "campaign",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="campaigns.campaign",
                    ),
                ),
                (
                    "batch",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="vouchers.codebatch",
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                ("person", models.UUIDField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("campaign", "batch", "person"),
                        nulls_distinct=False,
                        name="person_served_once",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="voucher",
            name="batch",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="vouchers.codebatch",
            ),
        ),
    ]
