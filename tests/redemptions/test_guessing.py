"""Codes can't be guessed by trying them out: nothing tells which exist, and who keeps trying has to wait."""

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from promoengine.core.api.rate import counters
from promoengine.core.models import OutboxEvent, Project
from redemptions.models import Redemption
from tests.api import Api
from tests.factories import (
    CampaignFactory,
    CategoryFactory,
    CustomerFactory,
    PromotionTierFactory,
    VoucherFactory,
)
from tests.limits import limit, redeem
from vouchers.services.delete import delete_voucher

NEVER = "NEVER-MADE"
CART = {"amount": 5000, "items": [{"product_id": "hat", "quantity": 1, "price": 5000}]}
STRICT = [Project.ClientRefusals.CART, Project.ClientRefusals.NONE]
BIG = {"1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}}}


@pytest.fixture
def telling(project):
    def tell(refusals):
        project.client_refusals, project.client_redeem_enabled = refusals, True
        project.client_publish_enabled = True
        project.save()

    return tell


def in_the_bin(project):
    code = VoucherFactory(project=project)
    delete_voucher(project, code.code, now=timezone.now())
    return code


def of_somebody_else(project):
    code = VoucherFactory(project=project, holder=CustomerFactory(project=project))
    limit(code, "publication.redeemable_by_linked_customer", True, operator="$is")
    return code


def used_up_by_a_rule(project):
    code = VoucherFactory(project=project, campaign=CampaignFactory(project=project))
    limit(code.campaign, "campaign.redemptions.count", 0)
    return code


def of_somebody_else_and_for_a_fuller_cart(project):
    code = of_somebody_else(project)
    limit(code, "order.amount", 0, extra={"rules": BIG})
    return code


DAY = timedelta(days=1)
UNUSABLE = {
    "in the bin": in_the_bin,
    "disabled": lambda project: VoucherFactory(project=project, active=False),
    "expired": lambda project: VoucherFactory(project=project, expiration_date=timezone.now() - DAY),
    "not yet active": lambda project: VoucherFactory(project=project, start_date=timezone.now() + DAY),
    "used up": lambda project: VoucherFactory(project=project, quantity=1, redeemed_quantity=1),
    "an empty card": lambda project: VoucherFactory(
        project=project, type="GIFT_VOUCHER", discount=None, gift_amount=500, gift_balance=0
    ),
    "of another holder": of_somebody_else,
    "of another holder, with a rule on the cart": of_somebody_else_and_for_a_fuller_cart,
    "of an inactive campaign": lambda project: VoucherFactory(
        project=project, campaign=CampaignFactory(project=project, active=False)
    ),
    "of a campaign that is used up": used_up_by_a_rule,
    "with metadata and a category": lambda project: VoucherFactory(
        project=project,
        active=False,
        metadata={"for": "staff"},
        category=CategoryFactory(project=project),
    ),
}


def validations(api, code, **more):
    body = {
        "redeemables": [{"object": "voucher", "id": code}],
        "order": CART,
        "options": {"expand": ["trace", "redeemable"]},
    }
    return api.post("/client/v1/validations", body | more, Origin="x")


def validate(api, code, **more):
    query = {"code": code, "amount": "5000"} | {f"customer[{name}]": one for name, one in more.items()}
    return api.get("/client/v1/validate", query, Origin="x")


def redemptions(api, code, **more):
    body = {"redeemables": [{"object": "voucher", "id": code}], "order": CART}
    return api.post("/client/v1/redemptions", body | more, Origin="x")


def redeem_one(api, code):
    return api.post(f"/client/v1/redeem?code={code}", {"order": CART}, Origin="x")


def best_of_two(api, code):
    redeemables = [{"object": "voucher", "id": one} for one in ("GOOD", code)]
    return validations(api, code, redeemables=redeemables, options={"combination": "BEST"})


def beside_others(api, code):
    """Its category is taken, so that it is left out before anybody looks whether it could be used."""
    redeemables = [{"object": "voucher", "id": one} for one in ("GOOD", code, "OTHER")]
    return validations(api, code, redeemables=redeemables)


DOORS = [validations, validate, redemptions, redeem_one, best_of_two, beside_others]


def said(answer, code):
    """Return the answer to the byte, but for what names the request, the answer and the code."""
    body = answer.json()
    ids = {body.get("id"), body.get("request_id"), body.get("tracking_id")} - {None}
    text = answer.content.decode().replace(code, "CODE")
    for request in [row.get("request_id") for row in _objects(body)]:
        ids.add(request)
    for one in ids - {None}:
        text = text.replace(json.dumps(one), '"ID"')
    return answer.status_code, text


def _objects(value):
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _objects(inner)


@pytest.mark.parametrize("refusals", STRICT)
@pytest.mark.parametrize("door", DOORS)
def test_ask_25_nothing_tells_a_code_that_can_not_be_used_from_one_that_never_was(
    client_api, project, telling, refusals, door
):
    telling(refusals)
    taken = CategoryFactory(project=project)
    project.stacking_rules = {"applicable_redeemables_per_category_limit": 1}
    project.save()
    VoucherFactory(project=project, code="GOOD", category=taken)
    codes = {name: make(project) for name, make in UNUSABLE.items()}
    codes["of a category that is taken"] = VoucherFactory(project=project, active=False, category=taken)

    expected = said(door(client_api, NEVER), NEVER)

    for name, code in codes.items():
        assert said(door(client_api, code.code), code.code) == expected, name


@pytest.mark.parametrize("refusals", STRICT)
def test_ask_25_a_code_spelled_twice_is_no_way_to_find_out(client_api, project, telling, refusals):
    telling(refusals)
    Project.objects.filter(pk=project.pk).update(case_sensitive_codes=False)
    VoucherFactory(project=project, code="Spring", code_key="SPRING", active=False)

    answers = [
        validations(client_api, "", redeemables=[{"object": "voucher", "id": one} for one in spelled])
        for spelled in (("Spring", "SPRING"), ("Autumn", "AUTUMN"))
    ]

    assert [answer.json()["key"] for answer in answers] == ["duplicated_redeemables"] * 2
    details = [answer.json()["details"] for answer in answers]
    assert details[0].replace("SPRING", "") == details[1].replace("AUTUMN", "")


@pytest.mark.parametrize("refusals", STRICT)
def test_ask_25_whom_the_code_was_given_to_is_told_why(client_api, project, telling, refusals):
    telling(refusals)
    ann = CustomerFactory(project=project, source_id="ann", email="ann@example.com")
    code = VoucherFactory(project=project, holder=ann, active=False).code

    def reason(**customer):
        return validate(client_api, code, **customer).json()["reason"]

    assert reason(source_id="ann") == "voucher is disabled"
    assert reason(id=ann.public_id) == "voucher is disabled"
    assert reason(source_id="bob") == "voucher not found"
    answer = validations(client_api, code, customer={"email": "ann@example.com"}).json()
    assert answer["redeemables"][0]["result"]["error"]["key"] == "not_found"


@pytest.mark.parametrize(
    ("refusals", "key", "hints"),
    [
        ("ALL", "order_rules_violated", ["50.00 EUR more"]),
        ("CART", "order_rules_violated", ["50.00 EUR more"]),
        ("NONE", "not_found", []),
    ],
)
def test_ask_25_shoppers_are_told_what_their_cart_lacks_unless_the_project_says_no(
    client_api, project, telling, refusals, key, hints
):
    telling(refusals)
    code = VoucherFactory(project=project)
    limit(code, "order.amount", 0, extra={"rules": BIG})

    (shown,) = validations(client_api, code.code).json()["redeemables"]

    assert (shown["result"]["error"]["key"], shown["hints"]) == (key, hints)


@pytest.mark.parametrize("refusals", STRICT)
def test_ask_25_the_shops_own_server_is_told_why_and_so_is_the_dashboard(
    api, client_api, project, telling, refusals
):
    telling(refusals)
    code = VoucherFactory(project=project, active=False).code
    redemptions(client_api, code)

    assert redeem(api, code).json()["key"] == "voucher_disabled"
    kept = Redemption.objects.filter(project=project, voucher_code=code)
    assert set(kept.values_list("failure_code", flat=True)) == {"voucher_disabled"}


def test_ask_25_as_published_browsers_are_told_why(client_api, project):
    code = VoucherFactory(project=project, active=False).code

    assert validate(client_api, code).json()["reason"] == "voucher is disabled"
    assert validate(client_api, NEVER).json()["reason"] == "voucher not found"


def test_ask_25_in_partial_mode_a_refused_code_is_told_of_no_more(client_api, project, telling):
    telling("NONE")
    project.stacking_rules = {"redeemables_application_mode": "PARTIAL"}
    project.save()
    good = VoucherFactory(project=project).code
    disabled = VoucherFactory(project=project, active=False, metadata={"a": 1}).code

    answers = [
        redemptions(client_api, "", redeemables=[{"object": "voucher", "id": one} for one in (good, refused)])
        for refused in (disabled, NEVER)
    ]

    found, unknown = (one.json()["inapplicable_redeemables"] for one in answers)
    assert answers[0].status_code == 200
    assert found[0]["result"]["error"]["key"] == unknown[0]["result"]["error"]["key"] == "not_found"
    assert found[0]["metadata"] == {}


@pytest.mark.parametrize(("refusals", "key"), [("ALL", "voucher_already_published"), ("NONE", "not_found")])
def test_ask_25_a_code_that_is_taken_is_not_told_of_by_publishing_it(
    client_api, project, telling, refusals, key
):
    telling(refusals)
    ann = CustomerFactory(project=project)
    taken = VoucherFactory(project=project, holder=ann, published_count=1).code

    def publish(code):
        return client_api.post(
            "/client/v1/publish", {"voucher": code, "customer": {"source_id": "eve"}}, Origin="x"
        )

    assert publish(taken).json()["key"] == key
    if key == "not_found":
        assert said(publish(taken), taken) == said(publish(NEVER), NEVER)


@pytest.mark.parametrize("door", [validations, validate, redemptions, redeem_one])
def test_ask_25_who_keeps_guessing_has_to_wait(client_api, project, telling, settings, door):
    telling("ALL")
    settings.CLIENT_MISSES = 5
    good = VoucherFactory(project=project).code

    tried = [door(client_api, f"{NEVER}{number}").status_code for number in range(6)]
    answer = door(client_api, good)

    assert 429 not in tried[:5]
    assert tried[5] == answer.status_code == 429
    assert answer.json()["key"] == "too_many_requests"
    assert 590 < int(answer["Retry-After"]) <= 600


def test_ask_25_waiting_grows(client_api, project, settings):
    settings.CLIENT_MISSES = 2
    app = client_api.headers["X-Client-Application-Id"]
    waits = []
    for _ in range(5):
        for number in range(2):
            validate(client_api, f"{NEVER}{number}")
        waits.append(int(validate(client_api, "X")["Retry-After"]))
        forget_holds(settings, app)

    assert waits == [600, 1200, 2400, 3600, 3600]


def forget_holds(settings, app_id):
    valkey = counters(settings.REDIS_URL)
    for key in valkey.scan_iter(f"hold:{app_id}:*"):
        valkey.delete(key)


def test_ask_25_good_codes_may_be_asked_about_as_often_as_one_likes(client_api, project, settings):
    settings.CLIENT_MISSES, settings.CLIENT_RATE_LIMIT = 3, 0
    good = VoucherFactory(project=project).code
    small = VoucherFactory(project=project)
    limit(small, "order.amount", 0, extra={"rules": BIG})

    answers = {validate(client_api, one).status_code for one in (good, small.code) * 5}

    assert answers == {200}


@pytest.mark.parametrize("refusals", STRICT)
def test_ask_25_waiting_does_not_tell_either(client_api, project, telling, settings, refusals):
    telling(refusals)
    settings.CLIENT_MISSES = 3
    disabled = VoucherFactory(project=project, active=False).code

    tried = [validate(client_api, disabled).status_code for _ in range(4)]

    assert tried == [200, 200, 200, 429]


def test_ask_25_a_session_is_held_wherever_it_comes_from(client_api, project, settings):
    settings.CLIENT_MISSES = 3
    session = {"session": {"type": "LOCK", "key": "s1"}}

    def from_address(last, **more):
        headers = client_api.headers | {"Origin": "x"}
        body = {"redeemables": [{"object": "voucher", "id": NEVER}], **more}
        return client_api.client.post(
            "/client/v1/validations",
            body,
            content_type="application/json",
            headers=headers,
            REMOTE_ADDR=f"203.0.113.{last}",
        ).status_code

    assert [from_address(last, **session) for last in range(4)] == [200, 200, 200, 429]
    assert from_address(9) == 200


def test_ask_25_one_request_may_name_many_codes_and_each_counts(client_api, project, settings):
    settings.CLIENT_MISSES = 30
    project.stacking_rules = {"redeemables_application_mode": "PARTIAL"}
    project.save()
    rows = [{"object": "voucher", "id": f"{NEVER}{number}"} for number in range(5)]

    tried = [validations(client_api, "", redeemables=rows).status_code for _ in range(7)]

    assert tried == [200] * 6 + [429]


@pytest.mark.parametrize(
    ("proxies", "forwarded", "tried"),
    [
        (0, "1.1.1.{}", [200, 200, 429]),  # anybody may write what they like there
        (1, "1.1.1.{}", [200, 200, 200]),
        (1, "1.1.1.{}, 9.9.9.9", [200, 200, 429]),
        (2, "1.1.1.{}, 9.9.9.9", [200, 200, 200]),
        (1, "2001:db8::{}", [200, 200, 429]),  # a network of one's own has 2**64 addresses
        (1, "nonsense {}", [200, 200, 429]),
    ],
)
def test_ask_25_behind_proxies_the_visitors_address_counts(
    client_api, project, settings, proxies, forwarded, tried
):
    settings.CLIENT_MISSES, settings.PROXIES = 2, proxies

    found = [
        client_api.get(
            "/client/v1/validate",
            {"code": NEVER},
            **{"Origin": "x", "X-Forwarded-For": forwarded.format(number)},
        ).status_code
        for number in range(3)
    ]

    assert found == tried


def test_ask_25_without_valkey_nobody_has_to_wait(client_api, project, settings):
    settings.CLIENT_MISSES, settings.REDIS_URL = 1, "unix:///nowhere.sock?db=0"

    assert [validate(client_api, NEVER).status_code for _ in range(3)] == [200] * 3


def test_ask_25_a_body_that_can_not_be_read_is_refused_as_ever(client_api):
    answer = client_api.post("/client/v1/validations", b"{", Origin="x")

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")
    assert "X-Rate-Limit-Limit" in answer


def test_ask_25_much_guessing_is_told_once_an_hour(api, client_api, project, settings, client):
    settings.GUESSING_ALERT, settings.CLIENT_MISSES = 4, 0
    server = Api(project)

    for number in range(20):
        caller = validate if number % 2 else (lambda _, code: redeem(server, code))
        caller(client_api, f"{NEVER}{number}")

    told = OutboxEvent.objects.filter(project=project, type="project.codes_guessed")
    assert [(event.data, event.entity_id) for event in told] == [({"tried": 4}, project.public_id)]
    client.force_login(User.objects.create_superuser("marketer"))
    home = client.get("/admin/").content.decode()
    assert "4 codes that do not exist had been tried within ten minutes: somebody may be guessing" in home
    assert "Tell them less about refused codes" in home

    Project.objects.filter(pk=project.pk).update(guessed_at=timezone.now() - timedelta(hours=2))
    for number in range(4):
        validate(client_api, f"{NEVER}{number}")
    assert told.all().count() == 2


def test_ask_25_a_promotion_is_no_code_to_guess(client_api, project, telling, settings):
    telling("NONE")
    settings.CLIENT_MISSES = 1
    tier = PromotionTierFactory(project=project, active=False)

    rows = [{"object": "promotion_tier", "id": tier.public_id}]
    (shown,) = validations(client_api, "", redeemables=rows).json()["redeemables"]

    assert shown["result"]["error"]["key"] == "promotion_inactive"
    assert validate(client_api, "X").status_code == 200
