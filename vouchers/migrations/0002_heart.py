from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="voucher",
            name="imported_quantity",
            field=models.PositiveIntegerField(
                db_default=0, default=0, editable=False, help_text="Uses before the code was imported."
            ),
        ),
        migrations.AddField(
            model_name="voucher",
            name="imported_amount",
            field=models.PositiveBigIntegerField(
                db_default=0, default=0, editable=False, help_text="Gift credits used before it was imported."
            ),
        ),
    ]
