import django.contrib.postgres.fields
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("campaigns", "0002_heart")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="one_customer_by",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.CharField(max_length=7),
                blank=True,
                default=list,
                help_text="Identity keys by which limits count customers together; none counts each record alone.",
                size=None,
            ),
        ),
        migrations.AddField(
            model_name="campaign",
            name="guests",
            field=models.CharField(
                choices=[
                    ("UNLESS_LIMITED", "Yes, but not where uses by each customer are limited"),
                    ("ALLOWED", "Yes, as often as they like"),
                    ("COUNTED", "Only with a device or address that their uses are counted by"),
                    ("REFUSED", "No, they have to sign in"),
                ],
                default="UNLESS_LIMITED",
                help_text="Whether people may use it of whom nothing is known.",
                max_length=14,
            ),
        ),
        migrations.AddConstraint(
            model_name="campaign",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    one_customer_by__contained_by=["email", "phone", "card", "device", "address"]
                ),
                name="campaign_known_identities",
            ),
        ),
    ]
