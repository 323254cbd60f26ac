import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0002_heart"), ("customers", "0006_lists")]

    operations = [
        migrations.AddField(
            model_name="customersummary",
            name="products",
            field=models.JSONField(
                default=list, help_text="Ids and the shop's own ids of the products and SKUs in paid orders."
            ),
        ),
        migrations.AddField(
            model_name="segment",
            name="sync",
            field=models.ForeignKey(
                editable=False,
                help_text="The latest asking of all customers; an earlier one that still runs stops.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="core.asyncaction",
            ),
        ),
        migrations.AddField(
            model_name="segment",
            name="updated_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name="segmentmember",
            name="segment",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="customers.segment",
            ),
        ),
    ]
