import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

import promoengine.core.ids

PROJECT = {
    "editable": False,
    "on_delete": django.db.models.deletion.CASCADE,
    "related_name": "+",
    "to": "core.project",
}
KEY = {
    "default": promoengine.core.ids.new_id,
    "editable": False,
    "primary_key": True,
    "serialize": False,
}


class Migration(migrations.Migration):
    dependencies = [("core", "0002_heart"), ("customers", "0008_customer_present")]

    operations = [
        migrations.CreateModel(
            name="Consent",
            fields=[
                ("id", models.UUIDField(**KEY)),
                ("name", models.CharField(max_length=255)),
                ("description", models.TextField(blank=True)),
                (
                    "category",
                    models.CharField(
                        choices=[
                            ("EMAIL", "E-mail"),
                            ("SMS", "SMS"),
                            ("PHONE", "Phone"),
                            ("POST", "Letters"),
                            ("PUSH", "Push messages"),
                            ("PROFILING", "Profiling"),
                            ("OTHER", "Something else"),
                        ],
                        default="EMAIL",
                        max_length=9,
                        verbose_name="channel",
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("updated_at", models.DateTimeField(editable=False, null=True)),
                ("project", models.ForeignKey(**PROJECT)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("project", "name"), name="consent_name_unique")
                ],
            },
        ),
        migrations.CreateModel(
            name="ConsentStatement",
            fields=[
                ("id", models.UUIDField(**KEY)),
                ("is_given", models.BooleanField()),
                ("source", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField()),
                (
                    "consent",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="customers.consent"
                    ),
                ),
                (
                    "customer",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="customers.customer",
                    ),
                ),
                ("project", models.ForeignKey(**PROJECT)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["customer", "consent", "-id"], name="consent_statement_newest")
                ],
            },
        ),
    ]
