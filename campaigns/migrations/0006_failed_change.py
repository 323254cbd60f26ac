from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("campaigns", "0005_rollback_policy"),
    ]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="failed_change",
            field=models.UUIDField(
                editable=False,
                help_text="The background job that gave up bringing a change to its codes.",
                null=True,
            ),
        ),
    ]
