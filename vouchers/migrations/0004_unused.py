from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """Lets all uses of a code but the first leave its indexes alone, and room for them beside the row."""

    dependencies = [("vouchers", "0003_voucher_for_anybody")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE vouchers_voucher SET (fillfactor = 90)",
            "ALTER TABLE vouchers_voucher RESET (fillfactor)",
        ),
        migrations.AddField(
            model_name="voucher",
            name="is_unused",
            field=models.GeneratedField(
                db_persist=True, expression=Q(redeemed_quantity=0), output_field=models.BooleanField()
            ),
        ),
        migrations.RemoveIndex(model_name="voucher", name="voucher_free"),
        migrations.AddIndex(
            model_name="voucher",
            index=models.Index(
                fields=["campaign", "id"],
                name="voucher_free",
                condition=Q(published_count=0, active=True, deleted_at=None, is_unused=True),
            ),
        ),
    ]
