"""Custom events are told once by their sender's id, stand where they happened, and take one round trip."""

import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# As `promoengine.core.ids.public_id` writes it; in three parts, because whole numbers are quick to divide.
PUBLIC_ID = """
    CREATE FUNCTION public_id(prefix text, key uuid) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
    DECLARE
        alphabet CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
        hex text := replace(key::text, '-', '');
        number numeric := 0;
        part bigint;
        body text := '';
    BEGIN
        FOR place IN 0..3 LOOP
            number := number * 4294967296 + ('x' || substr(hex, place * 8 + 1, 8))::bit(32)::bigint;
        END LOOP;
        FOREACH part IN ARRAY ARRAY[
            mod(number, 839299365868340224),
            mod(div(number, 839299365868340224), 839299365868340224),
            div(div(number, 839299365868340224), 839299365868340224)
        ]::bigint[] LOOP
            FOR place IN 1..10 LOOP
                body := substr(alphabet, (part % 62)::int + 1, 1) || body;
                part := part / 62;
            END LOOP;
        END LOOP;
        RETURN prefix || '_' || right(body, 22);
    END
    $$
"""
TRACK_EVENT = """
    CREATE FUNCTION track_event(
        event_project uuid, definitions_lock bigint, expected_version bigint,
        asked_id uuid, asked_source_id text, said jsonb,
        event_id uuid, event_type text, event_source_id text, event_metadata jsonb,
        event_referral jsonb, event_loyalty jsonb, happened_at timestamptz,
        outbox_id uuid, outbox_entity text, outbox_data jsonb, event_channel text,
        OUT outcome text, OUT version bigint, OUT person_id uuid, OUT person jsonb, OUT earlier jsonb
    ) LANGUAGE plpgsql VOLATILE SET plan_cache_mode = force_generic_plan AS $$
    DECLARE
        whom customers_customer;
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(definitions_lock);
        SELECT definitions_version INTO version FROM core_project WHERE id = event_project;
        IF version <> expected_version THEN
            outcome := 'moved';
            RETURN;
        END IF;
        IF event_source_id IS NOT NULL THEN
            SELECT to_jsonb(event) INTO earlier FROM customers_customevent AS event
            WHERE project_id = event_project AND source_id = event_source_id;
            IF earlier IS NOT NULL THEN
                outcome := 'repeated';
                RETURN;
            END IF;
        END IF;
        -- Shared with other events of theirs; who erases a customer takes the row alone.
        IF asked_id IS NOT NULL THEN
            SELECT * INTO whom FROM customers_customer
            WHERE id = asked_id AND project_id = event_project AND deleted_at IS NULL FOR KEY SHARE;
        ELSE
            SELECT * INTO whom FROM customers_customer
            WHERE project_id = event_project AND source_id = asked_source_id AND deleted_at IS NULL
            FOR KEY SHARE;
        END IF;
        IF whom.id IS NULL THEN
            outcome := 'unknown';
            RETURN;
        END IF;
        IF said IS NOT NULL THEN
            IF said ? 'metadata' THEN
                said := jsonb_set(said, '{metadata}', whom.metadata || (said -> 'metadata'));
            END IF;
            IF to_jsonb(whom) || said <> to_jsonb(whom) THEN
                outcome := 'changed';
                RETURN;
            END IF;
            IF happened_at > coalesce(whom.stated_at, whom.updated_at, whom.created_at) THEN
                UPDATE customers_customer SET stated_at = greatest(stated_at, happened_at)
                WHERE id = whom.id;
            END IF;
        END IF;
        person_id := whom.id;
        person := jsonb_build_object(
            'id', public_id('cust', whom.id), 'name', whom.name, 'email', whom.email,
            'source_id', whom.source_id, 'metadata', whom.metadata, 'object', 'customer'
        );
        INSERT INTO customers_customevent (
            id, project_id, customer_id, type, source_id, metadata, referral, loyalty, created_at
        ) VALUES (
            event_id, event_project, whom.id, event_type, event_source_id, event_metadata,
            event_referral, event_loyalty, happened_at
        ) ON CONFLICT (project_id, source_id) WHERE source_id IS NOT NULL DO NOTHING;
        IF NOT FOUND THEN
            outcome := 'repeated';
            SELECT to_jsonb(event) INTO earlier FROM customers_customevent AS event
            WHERE project_id = event_project AND source_id = event_source_id;
            RETURN;
        END IF;
        outcome := 'recorded';
        INSERT INTO core_outboxevent (
            id, project_id, type, entity_id, customer_id, data, channel, created_at
        ) VALUES (
            outbox_id, event_project, 'customer.custom_event', outbox_entity, whom.id,
            jsonb_set(outbox_data, '{event,customer}', person) || jsonb_build_object('customer', person),
            event_channel, happened_at
        );
    END
    $$
"""
DROP_TRACK_EVENT = """
    DROP FUNCTION track_event(
        uuid, bigint, bigint, uuid, text, jsonb, uuid, text, text, jsonb, jsonb, jsonb, timestamptz,
        uuid, text, jsonb, text
    )
"""


class Migration(migrations.Migration):
    atomic = False  # a big table stays in use while its indexes are made

    dependencies = [("core", "0002_heart"), ("customers", "0004_identity_indexes")]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="stated_at",
            field=models.DateTimeField(
                null=True, editable=False, help_text="What the newest thing said about them is of."
            ),
        ),
        migrations.AddField(
            model_name="customevent",
            name="source_id",
            field=models.CharField(max_length=255, null=True),
        ),
        migrations.AddField(
            model_name="customevent",
            name="referral",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="customevent",
            name="loyalty",
            field=models.JSONField(null=True),
        ),
        migrations.AlterField(
            model_name="customevent",
            name="type",
            field=models.CharField(max_length=300),
        ),
        AddIndexConcurrently(
            model_name="customevent",
            index=models.Index(fields=["customer", "type", "created_at"], name="custom_event_of_customer"),
        ),
        migrations.AddConstraint(
            model_name="customevent",
            constraint=models.UniqueConstraint(
                fields=["project", "source_id"],
                condition=models.Q(source_id__isnull=False),
                name="custom_event_source_id_unique",
            ),
        ),
        migrations.AlterField(
            model_name="customevent",
            name="customer",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="customers.customer",
            ),
        ),
        migrations.AlterField(
            model_name="customevent",
            name="project",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="core.project",
            ),
        ),
        migrations.RunSQL(PUBLIC_ID, "DROP FUNCTION public_id(text, uuid)"),
        migrations.RunSQL(TRACK_EVENT, DROP_TRACK_EVENT),
    ]
