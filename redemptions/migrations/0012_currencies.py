from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("redemptions", "0011_exports")]

    operations = [
        migrations.AddField(
            model_name="order",
            name="currency",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Empty is the project's.", max_length=3
            ),
        ),
        migrations.AddField(
            model_name="redemption",
            name="currency",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Of the order; empty is the project's.",
                max_length=3,
            ),
        ),
    ]
