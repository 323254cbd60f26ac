"""Marks of what campaigns and promotion tiers are made of, by which it is told which of them have changed."""

import uuid

from django.db import connection

from campaigns.models import Campaign, Category, PromotionTier, ValidationRule, ValidationRuleAssignment
from promoengine.core.models import Project


def definition_stamps(project: Project) -> dict[uuid.UUID, str]:
    """Return a mark of each of the project's campaigns and tiers, in two queries.

    It is another one once the row, its category, its campaign, or a rule assigned to any of them has changed:
    Postgres writes down with each row which transaction made it so (`xmin`), and puts it in another place
    (`ctid`) with each change, also within one transaction.
    """
    with connection.cursor() as cursor:
        cursor.execute(GUARDS, {"project": project.pk})
        guards = dict(cursor.fetchall())
        cursor.execute(ROWS, {"project": project.pk})
        return {
            key: f"{stamp} {guards.get(key)} {guards.get(campaign_id)}"
            for key, campaign_id, stamp in cursor.fetchall()
        }


# Joined to what they guard in Python: a plan for tables nobody has analyzed yet may take seconds for it.
GUARDS = f"""
    SELECT related_object_id, string_agg(
        concat(assignment.id, assignment.xmin, assignment.ctid, '/', rule.xmin, rule.ctid), ' '
        ORDER BY assignment.id
    )
    FROM {ValidationRuleAssignment._meta.db_table} AS assignment
    JOIN {ValidationRule._meta.db_table} AS rule ON rule.id = assignment.rule_id
    WHERE assignment.project_id = %(project)s AND related_object_type IN ('campaign', 'promotion_tier')
    GROUP BY related_object_id
"""

ROWS = f"""
    SELECT campaign.id, campaign.id, concat(
        campaign.xmin, campaign.ctid, ' ', category.id, category.xmin, category.ctid
    )
    FROM {Campaign._meta.db_table} AS campaign
    LEFT JOIN {Category._meta.db_table} AS category ON category.id = campaign.category_id
    WHERE campaign.project_id = %(project)s
    UNION ALL
    SELECT tier.id, tier.campaign_id, concat(
        tier.xmin, tier.ctid, ' ', own.id, own.xmin, own.ctid, ' ',
        campaign.xmin, campaign.ctid, ' ', category.id, category.xmin, category.ctid
    )
    FROM {PromotionTier._meta.db_table} AS tier
    JOIN {Campaign._meta.db_table} AS campaign ON campaign.id = tier.campaign_id
    LEFT JOIN {Category._meta.db_table} AS own ON own.id = tier.category_id
    LEFT JOIN {Category._meta.db_table} AS category ON category.id = campaign.category_id
    WHERE tier.project_id = %(project)s
"""
