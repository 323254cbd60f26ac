"""Prices for a shop's lists of products, over REST."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.response import Response

from promoengine.core.api.views import ApiRequest, ClientView, ServerView
from promoengine.core.errors import InvalidPayload
from redemptions.api.checkout import channel_of
from redemptions.api.serializers import ContextBody, PriceListAnswer
from redemptions.order_wire import LINE_FIELDS
from redemptions.requests import CheckoutRequest, parse_context
from redemptions.services.prices import Price, Saving, price_list


class Prices(ServerView):
    scope = "qualifications"

    @extend_schema(request=ContextBody, responses=PriceListAnswer)
    def post(self, request: ApiRequest) -> Response:
        return answer(request)


class ClientPrices(ClientView):
    scope = "client_qualifications"

    @extend_schema(request=ContextBody, responses=PriceListAnswer)
    def post(self, request: ApiRequest) -> Response:
        return answer(request)


def answer(request: ApiRequest) -> Response:
    asked = parse_prices(request.data)
    found = price_list(request.project, asked, channel=channel_of(request), now=datetime.now(UTC))
    data = [price_to_wire(price) for price in found.prices]
    listed = {"object": "list", "data_ref": "data", "data": data, "total": len(data)}
    return Response(listed | {"currency": found.currency})


def parse_prices(body: Any) -> CheckoutRequest:
    """Read for which lines, and for whom, prices are asked; no stored order is meant.

    Raises:
        InvalidPayload: the shape is wrong, or there are no lines; the details name the property.
        InvalidAmount: an amount or price is negative or too large.
    """
    if not isinstance(body, Mapping):
        raise InvalidPayload("Payload should be object")
    asked = parse_context(body)
    if asked.order is None or not asked.order.items:
        raise InvalidPayload("Property .order should have required property 'items'")
    return replace(asked, order=replace(asked.order, id=None, source_id=None, amount=None), session=None)


def price_to_wire(price: Price) -> dict[str, Any]:
    """Return one line's price before and after its best promotion, and the promotions that there are."""
    wire: dict[str, Any] = {"object": "price"}
    wire |= {name: price.line[name] for name in LINE_FIELDS if name in price.line}
    return wire | {
        "quantity": price.item.quantity,
        "amount": price.item.amount,
        "discount_amount": price.saving,
        "total_amount": price.item.amount - price.saving,
        "promotions": [saving_to_wire(saving, price.item.amount) for saving in price.savings],
    }


def saving_to_wire(saving: Saving, amount: int) -> dict[str, Any]:
    wire: dict[str, Any] = {
        "id": saving.tier.public_id,
        "object": "promotion_tier",
        "name": saving.tier.name,
        "discount_amount": saving.amount,
        "total_amount": amount - saving.amount,
    }
    return wire if saving.tier.banner is None else wire | {"banner": saving.tier.banner}
