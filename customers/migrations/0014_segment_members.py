"""What auto-update segments ask of customers is read by a function, whose plan is kept."""

from django.db import migrations

# Left to itself, Postgres takes arrays that it does not know for long ones, and plans anew at each call, which
# takes twice as long as reading. One by one, so that each is found by its index, however small the tables were
# when the plan was made.
SEGMENT_MEMBERS = """
    CREATE FUNCTION segment_members(
        asked_project uuid, asked_customers uuid[], asked_segments uuid[], asked_events text[]
    ) RETURNS TABLE (
        customer customers_customer, summary customers_customersummary,
        segments uuid[], memberships bigint[], events text[], counts bigint[], lasts timestamptz[]
    ) LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
    BEGIN
        RETURN QUERY
        SELECT present, summed, member.segments, member.memberships,
            tracked.events, tracked.counts, tracked.lasts
        FROM unnest(asked_customers) AS asked (id)
        CROSS JOIN LATERAL (
            SELECT one FROM customers_customer AS one
            WHERE one.id = asked.id AND one.project_id = asked_project AND one.deleted_at IS NULL OFFSET 0
        ) AS found (present)
        LEFT JOIN LATERAL (
            SELECT one FROM customers_customersummary AS one WHERE one.customer_id = asked.id OFFSET 0
        ) AS counted (summed) ON true
        CROSS JOIN LATERAL (
            SELECT array_agg(segment_id) AS segments, array_agg(id) AS memberships
            FROM customers_segmentmember
            WHERE customer_id = asked.id AND segment_id = ANY(asked_segments)
        ) AS member
        CROSS JOIN LATERAL (
            SELECT array_agg(of_one.type::text) AS events, array_agg(of_one.count) AS counts,
                array_agg(of_one.last) AS lasts
            FROM (
                SELECT type, count(*) AS count, max(created_at) AS last FROM customers_customevent
                WHERE customer_id = asked.id AND type = ANY(asked_events)
                GROUP BY type
            ) AS of_one
        ) AS tracked
        ORDER BY asked.id;
    END
    $$
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0013_deleted_consents")]

    operations = [
        migrations.RunSQL(SEGMENT_MEMBERS, "DROP FUNCTION segment_members(uuid, uuid[], uuid[], text[])")
    ]
