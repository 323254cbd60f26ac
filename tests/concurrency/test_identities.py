"""One person under many accounts, sixty-four at once: never one over, on any key, as the ledger proves."""

import random
from collections import Counter

import pytest

from customers.models import Customer
from promoengine.core.models import OutboxEvent
from redemptions.models import Redemption, UsageCounter
from tests.concurrency.parallel import in_parallel
from tests.factories import CampaignFactory, CustomerFactory, VoucherFactory
from tests.limits import REFUSED, assert_ledger_agrees, body, key_of, limit, lock, redeem, roll_back

pytestmark = pytest.mark.django_db(transaction=True)

CLIENTS = 64
EVER = "campaign.redemptions.customers_count"
KEYS = ("email", "phone", "card", "device", "address")


def shop(project, *names, most=5, by=("email",), codes=1):
    """Return the codes of a campaign that counts people together, under these limits."""
    campaign = CampaignFactory(project=project, one_customer_by=list(by))
    for name in names or (EVER,):
        limit(campaign, name, most)
    return [VoucherFactory(project=project, campaign=campaign, discount=None).code for _ in range(codes)]


def counted(answers):
    return Counter(key_of(answer) for answer in answers)


@pytest.mark.parametrize("name", [EVER, f"{EVER}.daily", "redemption.count.per_customer.monthly"])
def test_one_email_under_many_source_ids_is_counted_exactly(api, project, name):
    (code,) = shop(project, name)

    answers = in_parallel(
        CLIENTS, lambda n: redeem(api, code, customer={"source_id": f"c-{n}", "email": f"a+{n}@gmail.com"})
    )

    assert counted(answers) == {"success": 5, REFUSED: CLIENTS - 5}
    assert UsageCounter.objects.get(subject__startswith="email:").value == 5
    assert_ledger_agrees(project)


def test_customers_who_are_known_share_their_email_exactly(api, project):
    """Nothing is written of them, so that each redemption claims in one call."""
    (code,) = shop(project)
    for number in range(CLIENTS):
        api.post("/v1/customers", {"source_id": f"c-{number}", "email": "ann@example.com"})
    redeem(api, code, customer={"source_id": "c-0"})

    answers = in_parallel(CLIENTS, lambda n: redeem(api, code, customer={"source_id": f"c-{n}"}))

    assert counted(answers) == {"success": 4, REFUSED: CLIENTS - 4}
    assert_ledger_agrees(project)


def test_chains_of_shared_keys_pass_no_limit_and_never_deadlock(api, project):
    """Everybody shares some key with somebody, in every order, over codes of two campaigns."""
    codes = [*shop(project, most=6, by=KEYS, codes=3), *shop(project, most=6, by=("card", "email"), codes=3)]

    def act(number):
        chance, answers = random.Random(number), []
        for _ in range(4):
            shared = {kind: f"{kind}-{chance.randrange(4)}" for kind in chance.sample(KEYS, 3)}
            shared["email"] = f"{chance.randrange(4)}@example.com"
            shared["phone"] = f"+4850123456{chance.randrange(4)}"
            customer = {"source_id": f"c-{chance.randrange(40)}", "identities": shared}
            answer = redeem(api, *chance.sample(codes, 2), customer=customer)
            answers.append(answer)
            if answer.status_code == 200 and chance.random() < 0.3:
                answers.append(roll_back(api, answer))
        return answers

    answers = [answer for answers in in_parallel(CLIENTS, act) for answer in answers]

    assert set(counted(answers)) <= {"success", REFUSED}
    assert counted(answers)["success"] > 6
    kept = UsageCounter.objects.filter(subject__regex=f"^({'|'.join(KEYS)}|customer):")
    assert {0 <= row.value <= 6 for row in kept} == {True}
    assert_ledger_agrees(project)


def test_sessions_and_redemptions_share_a_persons_places(api, project):
    (code,) = shop(project)

    def act(number):
        customer = {"source_id": f"c-{number}", "email": "ann@example.com"}
        if number % 2:
            return key_of(redeem(api, code, customer=customer)) == "success"
        asked = body(code, customer=customer, session=lock(f"cart-{number}"))
        return api.post("/v1/validations", asked).json()["valid"]

    assert sum(in_parallel(CLIENTS, act)) == 5
    assert_ledger_agrees(project)


def test_rollbacks_race_redemptions_of_the_same_person(api, project):
    (code,) = shop(project)
    made = [
        redeem(api, code, customer={"source_id": f"old-{n}", "email": "ann@example.com"}) for n in range(5)
    ]

    def act(number):
        if number < 20:
            return roll_back(api, made[number % 5])
        return redeem(api, code, customer={"source_id": f"new-{number}", "email": "ann@example.com"})

    answers = in_parallel(CLIENTS, act)

    assert counted(answers[:20]) == {"success": 5, "already_rolled_back": 15}
    assert counted(answers[20:])["success"] <= 5
    assert Redemption.objects.filter(kind="redemption", status="SUCCEEDED").count() <= 5
    assert_ledger_agrees(project)


def test_the_setting_made_while_all_redeem_is_exact_from_then_on(api, project):
    (code,) = shop(project, by=())
    campaign = CampaignFactory._meta.model.objects.get()

    def act(number):
        if number == 5:
            return api.put(f"/v1/campaigns/{campaign.public_id}", {"one_customer_by": ["email"]}) and None
        return redeem(api, code, customer={"source_id": f"c-{number}", "email": "ann@example.com"})

    in_parallel(CLIENTS, act)
    used = Redemption.objects.filter(result="SUCCESS").count()
    after = key_of(redeem(api, code, customer={"source_id": "late", "email": "ann@example.com"}))

    assert after == (REFUSED if used >= 5 else "success")
    assert_ledger_agrees(project)


def test_one_guest_is_one_customer_however_many_ask(api, project):
    (code,) = shop(project, by=())

    answers = in_parallel(CLIENTS, lambda _: redeem(api, code, tracking_id="v-1"))

    assert counted(answers) == {"success": 5, REFUSED: CLIENTS - 5}
    assert Customer.objects.count() == 1
    assert_ledger_agrees(project)


def test_a_guest_signs_up_while_they_redeem(api, project):
    (code,) = shop(project, by=())
    redeem(api, code, tracking_id="v-1")

    answers = in_parallel(
        32,
        lambda n: redeem(
            api, code, tracking_id="v-1", **({"customer": {"source_id": "ann"}} if n % 2 else {})
        ),
    )

    assert counted(answers) == {"success": 4, REFUSED: 28}
    assert Customer.objects.count() == 1
    assert_ledger_agrees(project)


def test_erasing_people_while_others_who_share_their_email_redeem(api, project):
    (code,) = shop(project, most=1000)
    for number in range(8):
        CustomerFactory(project=project, source_id=f"c-{number}")
        redeem(api, code, customer={"source_id": f"c-{number}", "email": "ann@example.com"})

    def act(number):
        if number < 8:
            return api.post(f"/v1/customers/c-{number}/permanent-deletion")
        return redeem(api, code, customer={"source_id": f"c-{number}", "email": "ann@example.com"})

    answers = in_parallel(CLIENTS, act)

    assert {answer.status_code for answer in answers} == {200}
    assert Redemption.objects.exclude(identity_keys=None).count() == CLIENTS - 8
    assert_ledger_agrees(project)


def test_a_guest_signs_in_to_an_account_while_they_redeem(api, project):
    (code,) = shop(project, by=())
    ann = CustomerFactory(project=project, source_id="ann")
    redeem(api, code, tracking_id="v-1")
    redeem(api, code, customer={"source_id": "ann"})
    guest, named = {"tracking_id": "v-1"}, {"customer": {"source_id": "ann"}}

    # Whoever names both makes them one, and from then on both count.
    answers = in_parallel(CLIENTS, lambda n: redeem(api, code, **(guest, named, guest | named)[n % 3]))

    assert set(counted(answers)) <= {"success", REFUSED}
    used = Redemption.objects.filter(result="SUCCESS")
    if Customer.objects.present().count() == 1:
        assert not used.exclude(customer=ann).exists()
    by_customer = Counter(used.values_list("customer", flat=True))
    assert max(by_customer.values()) <= 5 or Customer.objects.present().count() == 1
    assert_ledger_agrees(project)


def test_one_guest_signs_in_at_many_places_at_once(api, project):
    (code,) = shop(project, by=(), most=1000)
    ann = CustomerFactory(project=project, source_id="ann")
    redeem(api, code, tracking_id="v-1")

    answers = in_parallel(
        32,
        lambda n: redeem(
            api, code, tracking_id="v-1", **({"customer": {"source_id": "ann"}} if n % 2 else {})
        ),
    )

    assert counted(answers) == {"success": 32}
    assert Customer.objects.present().get() == ann
    assert Redemption.objects.filter(customer=ann).count() == 33
    assert OutboxEvent.objects.filter(type="customer.merged").count() == 1
    assert_ledger_agrees(project)


def test_uses_are_given_back_while_the_guest_signs_in(api, project):
    (code,) = shop(project, by=(), most=8)
    CustomerFactory(project=project, source_id="ann")
    used = [redeem(api, code, tracking_id="v-1") for _ in range(8)]

    def act(number):
        if number < 8:
            return roll_back(api, used[number])
        return redeem(api, code, tracking_id="v-1", customer={"source_id": "ann"})

    in_parallel(24, act)

    redeem(api, code, tracking_id="v-1", customer={"source_id": "ann"})
    assert Customer.objects.present().count() == 1
    assert not Redemption.objects.exclude(customer__source_id="ann").exists()
    assert_ledger_agrees(project)
