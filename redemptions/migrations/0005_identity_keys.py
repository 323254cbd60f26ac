import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("redemptions", "0004_checkout_functions")]

    operations = [
        migrations.AddField(
            model_name="redemption",
            name="identity_keys",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=64),
                help_text="What the customer was known by, besides the record.",
                null=True,
                size=None,
            ),
        ),
    ]
