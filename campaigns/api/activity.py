"""What a customer did and got, over REST; served here because it is filtered by campaigns."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import QueryDict
from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from campaigns.models import Campaign
from customers.activity import ACTION, EFFECT, activity_to_wire, of_category, of_type
from customers.api.serializers import ActivitiesList, ActivityList
from customers.selectors import customer_by_ref
from promoengine.core.api.filters import NOTHING, as_moment
from promoengine.core.api.lists import cursor_list
from promoengine.core.api.views import ApiRequest, ServerView
from promoengine.core.errors import InvalidQueryParams
from promoengine.core.ids import parse_public_id, public_id
from promoengine.core.models import OutboxEvent, Project
from promoengine.core.partitions import partition_start

ORDERS = ("created_at", "-created_at", "id", "-id")
PERIOD = (("start_date", "gte"), ("end_date", "lte"))


class Activity(ServerView):
    scope = "customers"

    @extend_schema(responses=ActivityList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        return Response(activity_of(request, ref))


class Activities(ServerView):
    """The older form of the list: with a total, and a date for a cursor."""

    scope = "customers"

    @extend_schema(responses=ActivitiesList)
    def get(self, request: ApiRequest, ref: str) -> Response:
        found = activity_of(request, ref, with_total=True)
        return Response({name: found[name] for name in ("object", "data_ref", "data", "total")})


def activity_of(request: ApiRequest, ref: str, *, with_total: bool = False) -> dict[str, Any]:
    """Return the page of a customer's activity that is asked for; keys go by when things happened.

    Raises:
        NotFound: the project has no such customer.
        InvalidQueryParams: a filter, the order, the limit or the cursor is wrong; the details name it.
    """
    customer = customer_by_ref(request.project, ref)
    if (order := request.GET.get("order") or "-created_at") not in ORDERS:
        raise InvalidQueryParams(f"Property .order should be one of {', '.join(ORDERS)}")
    events = OutboxEvent.objects.filter(project=request.project, customer_id=customer.pk)
    return cursor_list(
        events.filter(_condition(request.project, request.GET, is_ascending=not order.startswith("-"))),
        request.GET,
        rows_to_wire=lambda found: [activity_to_wire(event) for event in found],
        parse_cursor=lambda cursor: parse_public_id("evcus", cursor),
        cursor_of=lambda event: public_id("evcus", event.pk),
        with_total=with_total,
    )


def _condition(project: Project, query: QueryDict, *, is_ascending: bool) -> Q:
    condition = Q()
    for name, lookup in PERIOD:
        if text := query.get(name):
            condition &= Q(**{f"created_at__{lookup}": _moment(name, text)})
    if text := query.get("starting_after"):
        edge = partition_start(_moment("starting_after", text))
        condition &= Q(pk__gt=edge) if is_ascending else Q(pk__lt=edge)
    if name := query.get("type"):
        condition &= of_type(name)
    if category := query.get("category"):
        condition &= of_category(_one_of("category", category, (ACTION, EFFECT)))
    if campaign := query.get("campaign_id"):
        key = parse_public_id(Campaign.prefix, campaign)
        condition &= Q(campaign_id=key) if key else NOTHING
    if kind := query.get("campaign_type"):
        kinds = Campaign.CampaignType.values
        rows = Campaign.objects.filter(project=project, campaign_type=_one_of("campaign_type", kind, kinds))
        condition &= Q(campaign_id__in=rows.values("pk"))
    if product := query.get("product_id"):
        condition &= Q(data__icontains=product)
    return condition


def _moment(name: str, text: str) -> datetime:
    try:
        moment: datetime = as_moment(text)
    except ValueError as error:
        raise InvalidQueryParams(f"Property .{name} {error}") from error
    return moment


def _one_of(name: str, value: str, known: Collection[str]) -> str:
    if value not in known:
        raise InvalidQueryParams(f"Property .{name} should be one of {', '.join(known)}")
    return value
