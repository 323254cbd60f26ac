"""What storefronts and marketers send, as short as tests want to say it."""

from tests.api import Api
from tests.factories import VoucherFactory


def redeemables(*ids: str) -> list[dict[str, str]]:
    """Name redeemables by their ids: promotion tiers, stacks and, for all others, codes."""
    return [{"object": _object(one), "id": one} for one in ids]


def validate(api: Api, *ids: str, **body):
    """Return the answer to a validation, which is never an error."""
    answer = api.post("/v1/validations", {"redeemables": redeemables(*ids), **body})
    assert answer.status_code == 200, answer.content
    return answer.json()


def redeem(api: Api, *ids: str, **body):
    """Return the answer to a redemption that goes through."""
    answer = api.post("/v1/redemptions", {"redeemables": redeemables(*ids), **body})
    assert answer.status_code == 200, answer.content
    return answer.json()


def make_rule(api: Api, *conditions: dict, logic: str = "", **more) -> str:
    """Make a validation rule of conditions, numbered from 1, and return its id."""
    rules = {str(number): condition for number, condition in enumerate(conditions, 1)}
    if logic:
        rules["logic"] = logic
    answer = api.post("/v1/validation-rules", {"name": "Rule", "rules": rules, **more})
    assert answer.status_code == 200, answer.content
    return answer.json()["id"]


def code_with(api: Api, *conditions: dict, discount: dict | None = None, code: str = "", **more) -> str:
    """Make a code with a rule of these conditions, 10.00 off unless told otherwise, and return it."""
    named = {"discount": discount} if discount else {}
    voucher = VoucherFactory(project=api.project, **({"code": code} if code else {}), **named)
    if conditions or more:
        assign(api, make_rule(api, *conditions, **more), voucher=voucher.code)
    return voucher.code


def assign(api: Api, rule: str, **related) -> None:
    answer = api.post(f"/v1/validation-rules/{rule}/assignments", related)
    assert answer.status_code == 200, answer.content


def lines(*amounts: int) -> list[dict]:
    """Return order lines of one unit each, of products `a`, `b`, `c` and so on."""
    return [
        {"source_id": name, "quantity": 1, "price": amount}
        for name, amount in zip("abcdefgh", amounts, strict=False)
    ]


def _object(one: str) -> str:
    return {"promo": "promotion_tier", "stack": "promotion_stack"}.get(one.partition("_")[0], "voucher")
