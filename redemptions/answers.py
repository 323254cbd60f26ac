"""The published answers of validations and redemptions."""

from collections.abc import Sequence
from typing import Any

from customers.tracking import tracking_id_of
from promoengine.engine.decide import Applicable, Decision, Outcome
from redemptions.facts import Gathered
from redemptions.order_wire import order_frame, order_to_wire
from redemptions.services.record import tracking_id
from redemptions.services.redeem import Checkout
from redemptions.services.validate import Validation
from redemptions.trace import Explainer, explainer_for
from redemptions.wire import outcome_to_wire


def validation_answer(validation: Validation, *, request_id: str, hints_only: bool = False) -> dict[str, Any]:
    """Return the answer to a validation; one that fails is an answer too.

    Unless the stacking rules say PARTIAL, `redeemables` has a result for each that was asked, and those
    that failed stand in an array of their own as well. In partial mode it has only those that apply. Where a
    trace is asked for, each is explained; with `hints_only` only by what is missing, as befits browsers.
    """
    decision, gathered = validation.decision, validation.gathered
    wires = _outcomes(decision.outcomes, gathered, validation.asked.expand, request_id)
    if "trace" in validation.asked.expand:
        _explain(wires, explainer_for(validation.project, decision.outcomes), hints_only=hints_only)
    answer: dict[str, Any] = {
        "id": validation.id,
        "valid": decision.is_valid,
        "redeemables": [
            wire for outcome, wire in wires if isinstance(outcome, Applicable) or not decision.is_partial
        ],
    }
    answer |= _apart(wires)
    if decision.is_valid and gathered.order is not None:
        answer["order"] = whole_order(decision, gathered)
    answer["tracking_id"] = tracking_id(validation.asked, gathered.customer) or tracking_id_of(validation.id)
    answer |= session_to_wire(validation)
    if validation.best is not None:
        answer["combination"] = {
            "saving": validation.best.saving,
            "is_proven": validation.best.is_proven,
            "saving_at_most": validation.best.bound,
        }
    answer["stacking_rules"] = gathered.case.stacking.to_wire()
    return answer


def session_to_wire(validation: Validation) -> dict[str, Any]:
    """Return the session that now holds what was found, or nothing where none does."""
    session = validation.asked.session
    if session is None or validation.session_key is None:
        return {}
    return {
        "session": {
            "key": validation.session_key,
            "type": "LOCK",
            "ttl": session.ttl_number,
            "ttl_unit": session.ttl_unit,
        }
    }


def redemption_answer(checkout: Checkout, *, request_id: str) -> dict[str, Any]:
    """Return the answer to a redemption that went through."""
    left_out = [outcome for outcome in checkout.decision.outcomes if not isinstance(outcome, Applicable)]
    wires = _outcomes(left_out, checkout.gathered, checkout.asked.expand, request_id)
    recorded = checkout.recorded
    answer: dict[str, Any] = {"redemptions": [written.wire for written in recorded.redemptions]}
    if recorded.parent is not None:
        answer["parent_redemption"] = recorded.parent.wire
    if recorded.order is not None:
        answer["order"] = recorded.order
    return answer | {"inapplicable_redeemables": [], "skipped_redeemables": []} | _apart(wires)


def whole_order(decision: Decision, gathered: Gathered) -> dict[str, Any] | None:
    """Return the order as all redeemables together leave it."""
    if gathered.order is None:
        return None
    if decision.initial_order is None or decision.order is None:
        return order_frame(gathered.order, gathered.customer)
    return order_to_wire(gathered.order, decision.initial_order, decision.order, customer=gathered.customer)


def _outcomes(
    outcomes: Sequence[Outcome], gathered: Gathered, expand: frozenset[str], request_id: str
) -> list[tuple[Outcome, dict[str, Any]]]:
    rows = dict(zip((id(offer) for offer in gathered.case.offers), gathered.redeemables, strict=True))
    return [
        (
            outcome,
            outcome_to_wire(
                outcome,
                rows[id(outcome.offer)],
                order=gathered.order,
                customer=gathered.customer,
                expand=expand,
                stacking=gathered.case.stacking,
                request_id=request_id,
            ),
        )
        for outcome in outcomes
    ]


def _explain(wires: list[tuple[Outcome, dict[str, Any]]], explainer: Explainer, *, hints_only: bool) -> None:
    for outcome, wire in wires:
        if hints_only:
            wire["hints"] = explainer.hints(outcome)
        else:
            wire["trace"] = explainer.trace(outcome) | {"hints": explainer.hints(outcome)}


def _apart(wires: list[tuple[Outcome, dict[str, Any]]]) -> dict[str, Any]:
    """Return the arrays of those that do not apply; an empty one is absent."""
    arrays = {
        "inapplicable_redeemables": [wire for _, wire in wires if wire["status"] == "INAPPLICABLE"],
        "skipped_redeemables": [wire for _, wire in wires if wire["status"] == "SKIPPED"],
    }
    return {name: array for name, array in arrays.items() if array}
