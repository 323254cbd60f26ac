import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("customers", "0012_merged_guests")]

    operations = [
        migrations.AddField(
            model_name="consent",
            name="deleted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.RemoveConstraint(model_name="consent", name="consent_name_unique"),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.UniqueConstraint(
                condition=Q(("deleted_at", None)),
                fields=("project", "name"),
                name="consent_present_name_unique",
            ),
        ),
        migrations.AlterField(
            model_name="consentstatement",
            name="consent",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.RESTRICT, related_name="+", to="customers.consent"
            ),
        ),
    ]
