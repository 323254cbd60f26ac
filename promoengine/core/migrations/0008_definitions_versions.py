from django.db import migrations


class Migration(migrations.Migration):
    """Gives each version of definitions once, whatever becomes of the transaction that took it."""

    dependencies = [("core", "0007_schemas_and_projects")]

    operations = [
        migrations.RunSQL(
            "CREATE SEQUENCE core_definitions_version", "DROP SEQUENCE core_definitions_version"
        ),
        migrations.RunSQL(
            "SELECT setval('core_definitions_version', (SELECT coalesce(max(definitions_version), 0) + 1"
            " FROM core_project))",
            migrations.RunSQL.noop,
        ),
    ]
