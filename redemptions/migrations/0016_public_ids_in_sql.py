import importlib

from django.db import migrations

formats = importlib.import_module("redemptions.migrations.0013_export_formats")


class Migration(migrations.Migration):
    dependencies = [
        ("redemptions", "0015_lists_of_a_campaign_and_status"),
    ]

    operations = [
        migrations.RunSQL("DROP FUNCTION promo_public_id(text, uuid)", formats.PUBLIC_ID),
    ]
