import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import promoengine.core.ids


class Migration(migrations.Migration):
    dependencies = [("core", "0005_bin")]

    operations = [
        migrations.CreateModel(
            name="RetentionPeriod",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=promoengine.core.ids.new_id,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("table", models.CharField(max_length=100, verbose_name="what")),
                (
                    "days",
                    models.PositiveIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(36500),
                        ],
                        verbose_name="days it is kept",
                    ),
                ),
                (
                    "done_until",
                    models.UUIDField(
                        editable=False,
                        help_text="The key up to which what is personal is gone.",
                        null=True,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "project",
                    models.ForeignKey(
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.project",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "table"), name="retention_period_unique"),
                    models.CheckConstraint(
                        condition=models.Q(("days__gte", 1)), name="retention_period_positive"
                    ),
                ],
            },
        ),
    ]
