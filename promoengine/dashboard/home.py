"""The first page: what offers did lately, and what needs a look."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from campaigns.models import Campaign
from campaigns.sentences import money
from promoengine.core.admin_project import current_project
from promoengine.core.models import AsyncAction, Project
from redemptions.models import Redemption
from vouchers.models import PoolAlert

DAYS = 30
NEWEST = 10
GUESSING_SHOWN = timedelta(days=1)


def home_context(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add the figures of the last thirty days to the page's context."""
    if not Project.objects.exists():
        return context
    project, now = current_project(request), timezone.now()
    uses = Redemption.objects.filter(
        ~Q(related_object_type=Redemption.RelatedObject.REDEMPTION),
        project=project,
        kind=Redemption.Kind.REDEMPTION,
        created_at__gte=now - timedelta(days=DAYS),
    )
    at_home = Q(currency="")
    succeeded = Q(result=Redemption.Result.SUCCESS)
    figures = uses.aggregate(
        redeemed=Count("id", filter=succeeded),
        failed=Count("id", filter=~succeeded),
        discount=Sum(
            "discount_amount", filter=succeeded & at_home & ~Q(status=Redemption.Status.ROLLED_BACK)
        ),
    )
    running = Campaign.objects.filter(
        Q(expiration_date=None) | Q(expiration_date__gt=now), project=project, active=True
    ).present()
    return context | {
        "project": project,
        "days": DAYS,
        "figures": [
            (_("Redemptions"), f"{figures['redeemed']:,}"),
            (_("Refused attempts"), f"{figures['failed']:,}"),
            (_("Discount given"), money(figures["discount"] or 0, project.currency)),
            (_("Running campaigns"), f"{running.count():,}"),
        ],
        "guessing": project if _is_guessed_at(project, now) else None,
        "ending": running.filter(expiration_date__lt=now + timedelta(days=2)).order_by("expiration_date")[:5],
        "low_pools": PoolAlert.objects.filter(
            project=project, low_since__isnull=False, campaign__deleted_at=None, campaign__active=True
        )
        .select_related("campaign")
        .order_by("-low_since")[:5],
        "jobs": _jobs(project) if request.user.has_perm("core.view_asyncaction") else [],
        "newest": uses.select_related("customer", "campaign").order_by("-created_at", "-id")[:NEWEST],
    }


def _jobs(project: Project) -> QuerySet[AsyncAction]:
    """Return the newest work that goes on or failed."""
    jobs = AsyncAction.objects.filter(project=project, status__in=["ENQUEUED", "IN_PROGRESS", "FAILED"])
    return jobs.order_by("-id")[:5]


def _is_guessed_at(project: Project, now: datetime) -> bool:
    return project.guessed_at is not None and project.guessed_at > now - GUESSING_SHOWN
