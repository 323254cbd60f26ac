from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("vouchers", "0011_used_and_referral_codes")]

    operations = [
        migrations.AddField(
            model_name="publication",
            name="voucher_type",
            field=models.CharField(
                blank=True,
                choices=[
                    ("DISCOUNT_VOUCHER", "Discount code"),
                    ("GIFT_VOUCHER", "Gift card"),
                    ("LOYALTY_CARD", "Loyalty card"),
                ],
                db_default="",
                default="",
                help_text="Of its codes; where none could be given, of those its campaign has.",
                max_length=16,
            ),
        ),
    ]
