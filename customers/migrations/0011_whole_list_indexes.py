from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("core", "0008_definitions_versions"),
        ("customers", "0010_locations"),
    ]

    operations = [
        RemoveIndexConcurrently(
            model_name="customer",
            name="customer_created",
        ),
        RemoveIndexConcurrently(
            model_name="customer",
            name="customer_updated",
        ),
        RemoveIndexConcurrently(
            model_name="customer",
            name="customer_present",
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(fields=["project", "id"], name="customer_present"),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(fields=["project", "created_at", "id"], name="customer_created"),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                models.F("project"),
                models.OrderBy(models.F("updated_at"), nulls_first=True),
                models.F("id"),
                name="customer_updated",
            ),
        ),
    ]
