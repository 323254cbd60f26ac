import django.contrib.postgres.indexes
import django.db.models.fields.json
import django.db.models.functions.text
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # big tables stay in use while their indexes are made

    dependencies = [
        ("core", "0002_heart"),
        ("customers", "0005_events_once"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("deleted_at", None)),
                fields=["project", "created_at", "id"],
                name="customer_created",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                models.F("project"),
                models.OrderBy(models.F("updated_at"), nulls_first=True),
                models.F("id"),
                condition=models.Q(("deleted_at", None)),
                name="customer_updated",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                models.F("project"),
                django.db.models.functions.text.Upper(
                    django.db.models.fields.json.KeyTextTransform("city", "address")
                ),
                models.F("created_at"),
                models.F("id"),
                condition=models.Q(("address__isnull", False)),
                name="customer_city",
            ),
        ),
        AddIndexConcurrently(
            model_name="customer",
            index=django.contrib.postgres.indexes.GinIndex(
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("email"), name="gin_trgm_ops"
                ),
                django.contrib.postgres.indexes.OpClass(
                    django.db.models.functions.text.Upper("name"), name="gin_trgm_ops"
                ),
                name="customer_fragments",
            ),
        ),
        RemoveIndexConcurrently(
            model_name="customer",
            name="customer_newest",
        ),
        RemoveIndexConcurrently(
            model_name="customer",
            name="customer_search",
        ),
    ]
