"""Public ids are a prefix and hexadecimal digits, which the database writes in a fifth of the time."""

import importlib

from django.db import migrations

earlier = importlib.import_module("customers.migrations.0005_events_once").PUBLIC_ID
# As `promoengine.core.ids.public_id` writes it. In SQL and without a side, so that it becomes a part of the
# statement it is called in.
PUBLIC_ID = """
    CREATE OR REPLACE FUNCTION public_id(prefix text, key uuid) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$ SELECT prefix || '_' || replace(key::text, '-', '') $$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0014_segment_members")]

    operations = [
        migrations.RunSQL(PUBLIC_ID, earlier.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
    ]
