"""Marks of what campaigns and promotion tiers are made of, by which it is told which of them have changed."""

import uuid

from django.db import connection

from campaigns.models import Campaign, Category, PromotionTier, ValidationRule, ValidationRuleAssignment
from promoengine.core.models import Project


def definition_stamps(project: Project) -> dict[uuid.UUID, str]:
    """Return a mark of each of the project's campaigns and tiers, in one query.

    It is another one once the row, its category, its campaign, or a rule assigned to any of them has changed:
    Postgres writes down with each row which transaction made it so (`xmin`), and puts it in another place
    (`ctid`) with each change, also within one transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(STAMPS, {"project": project.pk})
        return dict(cursor.fetchall())


STAMPS = f"""
    WITH guarded AS (
        SELECT related_object_id AS id,
            string_agg(
                concat(assignment.id, assignment.xmin, assignment.ctid, '/', rule.xmin, rule.ctid), ' '
                ORDER BY assignment.id
            ) AS stamp
        FROM {ValidationRuleAssignment._meta.db_table} AS assignment
        JOIN {ValidationRule._meta.db_table} AS rule ON rule.id = assignment.rule_id
        WHERE assignment.project_id = %(project)s AND related_object_type IN ('campaign', 'promotion_tier')
        GROUP BY related_object_id
    ), offered AS (
        SELECT campaign.id, concat(
            campaign.xmin, campaign.ctid, ' ', category.id, category.xmin, category.ctid, ' ', guarded.stamp
        ) AS stamp
        FROM {Campaign._meta.db_table} AS campaign
        LEFT JOIN {Category._meta.db_table} AS category ON category.id = campaign.category_id
        LEFT JOIN guarded ON guarded.id = campaign.id
        WHERE campaign.project_id = %(project)s
    )
    SELECT id, stamp FROM offered
    UNION ALL
    SELECT tier.id, concat(
        tier.xmin, tier.ctid, ' ', category.id, category.xmin, category.ctid, ' ', guarded.stamp, ' ',
        offered.stamp
    )
    FROM {PromotionTier._meta.db_table} AS tier
    JOIN offered ON offered.id = tier.campaign_id
    LEFT JOIN {Category._meta.db_table} AS category ON category.id = tier.category_id
    LEFT JOIN guarded ON guarded.id = tier.id
    WHERE tier.project_id = %(project)s
"""
