"""How fast the checkout is: one product and the floor beside it, one run, figures side by side.

The load comes from processes on the same machine, so the ratios count and not the absolute figures; what a
ratio compares is measured by turns, and the median of its rounds counts. The product runs as `make run`
starts it, with 2 web workers and without a rate limit. What is asked:

- validate, redeem: one code of a campaign with a percentage off and a rule on the order's amount and items;
  each code has a limit of its own; five lines; the whole published answer. The ratio is to the floor's.
- one campaign: all codes belong to one campaign, whose rule limits its redemptions; the ratio is to codes of
  fifty campaigns with such a rule.
- one code: all clients redeem the same code without a limit; the ratio is to two hundred such codes.
- three codes: three codes that stack on one order; the ratio is to one code.
- steady: as many a second as named, whether or not answers are late; 20 lines and 3 codes to validate, with
  200 active promotions in the project, which a validation that does not name them must not pay for.
"""

import http.client
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.floor import CLIENTS, CODES, ORDER, floor_beside, floor_requests
from bench.load import HEADING, measure, measure_in_turns, measure_steady, post, print_machine, print_row
from tests.product import running_product

LIMIT, BUSY = 10**9, 8
LONG_ORDER = {
    "items": [{"product_id": f"prod_{number}", "quantity": 2, "price": 900} for number in range(20)]
}
DISCOUNT = {"type": "DISCOUNT_VOUCHER", "discount": {"type": "PERCENT", "percent_off": 10}}
CART_RULE = {
    "1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [1000]}},
    "2": {
        "name": "order.items.any",
        "conditions": {"$is": [{"id": "prod_1", "object": "product"}]},
        "rules": {
            "1": {"name": "order.items.quantity", "conditions": {"$more_than_or_equal": [1]}},
            "logic": "1",
        },
    },
    "logic": "1 and 2",
}
LIMIT_RULE = {
    "1": {"name": "campaign.redemptions.count", "conditions": {"$less_than_or_equal": [LIMIT]}},
    "logic": "1",
}


class Shop:
    """A project of the product, filled and asked over HTTP."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port, self.headers = port, headers

    def make(self, path: str, body: Any) -> Any:
        client = http.client.HTTPConnection("127.0.0.1", self.port)
        client.request("POST", path, json.dumps(body), {"Content-Type": "application/json"} | self.headers)
        answer = client.getresponse()
        content = answer.read()
        client.close()
        assert answer.status == 200, content.decode()
        return json.loads(content)

    def requests(self, path: str, codes: Sequence[Sequence[str]], order: Any = ORDER) -> list[bytes]:
        """Return a request for each group of codes."""
        groups = [[{"object": "voucher", "id": code} for code in group] for group in codes]
        return [post(path, {"redeemables": group, "order": order}, self.headers) for group in groups]

    def make_codes(self, name: str, *, campaigns: int, rules: Any, quantity: int | None) -> list[str]:
        """Make codes in that many campaigns, all of which are under one rule, and return the codes."""
        rule = self.make("/v1/validation-rules", {"name": name, "rules": rules})["id"]
        voucher = DISCOUNT | {"redemption": {"quantity": quantity}}
        made = [
            self.make(
                "/v1/campaigns", {"name": f"{name} {n}", "voucher": voucher, "validation_rules": [rule]}
            )["id"]
            for n in range(campaigns)
        ]
        codes = [f"{name}-{n}" for n in range(CODES)]
        for n, code in enumerate(codes):
            self.make(f"/v1/campaigns/{made[n % campaigns]}/vouchers/{code}", {})
        return codes

    def make_free_codes(self) -> list[str]:
        codes = [f"FREE-{n}" for n in range(CODES)]
        for code in codes:
            self.make(f"/v1/vouchers/{code}", DISCOUNT)
        return codes

    def make_promotions(self) -> None:
        tiers = [
            {"name": f"Tier {n}", "action": {"discount": {"type": "AMOUNT", "amount_off": 100 + n}}}
            for n in range(200)
        ]
        for start in range(0, len(tiers), 20):
            part = {"tiers": tiers[start : start + 20]}
            self.make(
                "/v1/campaigns", {"name": f"P {start}", "campaign_type": "PROMOTION", "promotion": part}
            )


def main() -> None:
    """Run the measurements and print a table."""
    with running_product(WEB_WORKERS="2", RATE_LIMIT_PER_MINUTE="0") as product:
        shop = Shop(product.port, {"X-App-Id": product.app_id, "X-App-Token": product.app_token})
        print_machine()
        print(HEADING)
        with floor_beside(product.state_dir) as floor:
            measure_all(shop, floor)
        print("Load average of the last minute:", os.getloadavg()[0])


def measure_all(shop: Shop, floor: int) -> None:
    """Print the product's lines, each beside what it is compared with."""
    codes = shop.make_codes("SPREAD", campaigns=10, rules=CART_RULE, quantity=LIMIT)
    singles, triples = [[code] for code in codes], [codes[n : n + 3] for n in range(0, CODES - 2, 3)]
    for verb, path in (("validate", "/v1/validations"), ("redeem", "/v1/redemptions")):
        requests, bare = shop.requests(path, singles), floor_requests(verb)
        measure(floor, bare, clients=4, seconds=0.5)
        measure(shop.port, requests, clients=BUSY, seconds=1.0)
        for clients in CLIENTS:
            least, found = measure_in_turns([(floor, bare), (shop.port, requests)], clients=clients)
            print_row(f"floor: {verb}, {clients} clients", least)
            print_row(f"{verb}, {clients} clients", found, least)
    measure_beside(shop, ("one code", singles), ("three codes", triples))
    measure_hot(shop)
    steady = measure_steady(shop.port, shop.requests("/v1/redemptions", singles), rate=300)
    print_row("steady 300 redeems/s", steady)
    shop.make_promotions()
    requests = shop.requests("/v1/validations", triples, LONG_ORDER)
    print_row("steady 150 validates/s, 3 codes, 20 lines", measure_steady(shop.port, requests, rate=150))


def measure_hot(shop: Shop) -> None:
    """Print what it costs when everybody wants the same."""
    spread = shop.make_codes("LIMITED", campaigns=50, rules=LIMIT_RULE, quantity=None)
    hot = shop.make_codes("HOT", campaigns=1, rules=LIMIT_RULE, quantity=None)
    free = [[code] for code in shop.make_free_codes()]
    calm = ("50 limited campaigns", [[code] for code in spread])
    measure_beside(shop, calm, ("one limited campaign", [[code] for code in hot]))
    measure_beside(shop, ("codes without limit", free), ("one code without limit", free[:1]))


def measure_beside(shop: Shop, calm: tuple[str, list[list[str]]], hot: tuple[str, list[list[str]]]) -> None:
    """Print two kinds of redemption, the second with its ratio to the first."""
    asked = [(shop.port, shop.requests("/v1/redemptions", codes)) for _, codes in (calm, hot)]
    least, found = measure_in_turns(asked, clients=BUSY)
    print_row(f"redeem, {calm[0]}", least)
    print_row(f"redeem, {hot[0]}", found, least)


if __name__ == "__main__":
    main()
