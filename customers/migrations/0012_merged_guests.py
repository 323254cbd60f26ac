import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# Asked at the entry of a checkout, after its locks: a volatile function looks with eyes of its own.
IS_MERGED_CUSTOMER = """
    CREATE FUNCTION is_merged_customer(asked_id uuid) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
    BEGIN
        RETURN EXISTS (
            SELECT 1 FROM customers_customer WHERE id = asked_id AND merged_into_id IS NOT NULL
        );
    END
    $$
"""
DROP_IS_MERGED_CUSTOMER = "DROP FUNCTION is_merged_customer(uuid)"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("customers", "0011_whole_list_indexes")]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="merged_into",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                help_text=(
                    "Whom this guest turned out to be; the record is deleted, its tracking id leads there."
                ),
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="guests",
                to="customers.customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("merged_into", None),
                    models.Q(("deleted_at__isnull", False), ("source_id", None)),
                    _connector="OR",
                ),
                name="customer_merged_is_deleted",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("merged_into__isnull", False)),
                fields=["merged_into"],
                name="customer_merged",
            ),
        ),
        migrations.RunSQL(IS_MERGED_CUSTOMER, DROP_IS_MERGED_CUSTOMER),
    ]
