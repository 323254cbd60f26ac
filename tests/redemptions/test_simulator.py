"""The page to try offers out: it answers as the storefront's validation does, and uses nothing up."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.utils import timezone

from campaigns.models import ProductCollection
from promoengine.core.models import OutboxEvent
from redemptions.models import Order, Redemption
from tests.factories import (
    CategoryFactory,
    CustomerFactory,
    ProductFactory,
    ProjectFactory,
    PromotionTierFactory,
    SkuFactory,
    VoucherFactory,
)

PAGE = "/admin/redemptions/redemption/try/"


def lines(*rows):
    names = ("what", "quantity", "price")
    return {
        f"lines-{row}-{name}": value
        for row, values in enumerate(rows)
        for name, value in zip(names, values, strict=False)
    }


def tried(marketer, **asked):
    return marketer.get(PAGE, {"ask": "try"} | asked).context["answer"]


def errors_of(page):
    form = page.context["form"]
    found = {name: list(messages) for name, messages in form.errors.items()}
    return found | {
        f"{line.prefix}-{name}": list(m) for line in form.lines for name, m in line.errors.items()
    }


def test_an_empty_page_says_what_to_do(marketer):
    page = marketer.get(PAGE)

    assert page.status_code == 200
    assert "Fill the cart" in page.content.decode()


def test_a_code_takes_its_discount_off_the_amount(marketer, project):
    VoucherFactory(project=project, code="SUMMER")

    answer = tried(marketer, amount="50", codes="SUMMER")

    assert (answer.is_valid, answer.order.total) == (True, "40.00 EUR")
    assert answer.order.off_whole == ("−10.00 EUR SUMMER",)  # noqa: RUF001 - a minus sign


def test_products_are_known_by_their_names_and_priced_by_the_catalogue(marketer, project):
    ProductFactory(project=project, name="Shoe", source_id="shoe", price=5000)
    hat = ProductFactory(project=project, name="Hat", price=700)
    sku = SkuFactory(project=project, product=hat, sku="M")
    VoucherFactory(project=project, code="SUMMER", discount={"type": "PERCENT", "percent_off": 10})

    answer = tried(
        marketer, codes="SUMMER", **lines(("Shoe", 2), (f"Hat M · {sku.source_id}",), ("Gift box", 1, "3.50"))
    )

    assert [(line.name, line.quantity, line.before) for line in answer.order.lines] == [
        ("Shoe", 2, "100.00 EUR"),
        ("Hat M", 1, "7.00 EUR"),
        ("Gift box", 1, "3.50 EUR"),
    ]


def test_each_line_says_which_offer_reduced_it(marketer, project):
    shoe = ProductFactory(project=project, name="Shoe", price=5000)
    discount = {"type": "PERCENT", "percent_off": 20, "effect": "APPLY_TO_ITEMS"}
    tier = PromotionTierFactory(project=project, name="Shoe week", discount=discount)

    answer = tried(marketer, promotions=tier.public_id, **lines((shoe.name, 1)))

    (line,) = answer.order.lines
    assert (line.before, line.discounts, line.after) == (
        "50.00 EUR",
        ("−10.00 EUR Shoe week",),  # noqa: RUF001 - a minus sign
        "40.00 EUR",
    )


def test_what_is_missing_is_said_in_words(marketer, project, api):
    shoes = ProductCollection.objects.create(project=project, name="Shoes", type="STATIC")
    rules = {
        "1": {"name": "order.amount", "conditions": {"$more_than_or_equal": [10000]}},
        "2": {"name": "order.items.any", "conditions": {"$is": [{"id": shoes.public_id}]}},
    }
    rule = api.post("/v1/validation-rules", {"name": "Big", "rules": rules}).json()
    VoucherFactory(project=project, code="BIG")
    api.post(f"/v1/validation-rules/{rule['id']}/assignments", {"voucher": "BIG"})

    (offer,) = tried(marketer, codes="BIG", **lines(("Hat", 1, "87.60"))).offers

    assert offer.reason == "The order does not meet its rules."
    assert offer.hints == ("12.40 EUR more", "1 more item of Shoes")
    assert [(one.text, one.actual, one.met) for one in offer.conditions] == [
        ("Order amount is at least 100.00 EUR", "87.60 EUR", False),
        ("Any item is Shoes", "0", False),
    ]


def test_details_of_the_order_are_asked_by_rules(marketer, project, api):
    rules = {"1": {"name": "order.metadata", "property": "channel", "conditions": {"$is": ["app"]}}}
    rule = api.post("/v1/validation-rules", {"name": "App", "rules": rules}).json()
    VoucherFactory(project=project, code="APP")
    api.post(f"/v1/validation-rules/{rule['id']}/assignments", {"voucher": "APP"})

    without = tried(marketer, codes="APP", amount="50")
    with_it = tried(marketer, codes="APP", amount="50", details="channel: app")

    assert [(one.actual, one.met) for one in without.offers[0].conditions] == [("nothing", None)]
    assert with_it.is_valid


def test_who_took_whose_place_is_said_by_name(marketer, project):
    category = CategoryFactory(project=project, name="Alone")
    project.stacking_rules = {"exclusive_categories": [category.public_id]}
    project.save()
    VoucherFactory(project=project, code="COMMON")
    VoucherFactory(project=project, code="ALONE", category=category)

    offers = tried(marketer, amount="50", codes="COMMON\nALONE").offers

    said = {offer.name: (str(offer.verdict), offer.reason) for offer in offers}
    assert said["COMMON"] == (
        "Left out",
        "It can not be used together with the others. ALONE was chosen instead.",
    )


def test_where_one_fails_nothing_is_taken_off(marketer, project):
    VoucherFactory(project=project, code="GOOD")

    answer = tried(marketer, amount="50", codes="GOOD\nNONE")

    assert [(offer.name, str(offer.verdict)) for offer in answer.offers] == [
        ("GOOD", "Would apply"),
        ("NONE", "Does not apply"),
    ]
    assert (answer.is_valid, answer.order.total) == (False, "50.00 EUR")


def test_another_time_is_tried_in_the_shops_zone(marketer, project):
    project.timezone = "Pacific/Auckland"
    project.save()
    tomorrow = timezone.now() + timedelta(days=1)
    VoucherFactory(project=project, code="LATER", start_date=tomorrow)

    page = marketer.get(PAGE, {"ask": "try", "codes": "LATER", "amount": "50"})
    later = tried(marketer, amount="50", codes="LATER", at="2031-01-01T00:30")

    assert page.context["answer"].offers[0].reason == "The code can not be used yet."
    assert later.is_valid


def test_the_customer_is_known_by_e_mail(marketer, project):
    customer = CustomerFactory(project=project, email="alice@example.com")
    VoucherFactory(project=project, code="MINE", holder=customer)

    page = marketer.get(
        PAGE, {"ask": "try", "codes": "MINE", "amount": "50", "customer": "Alice@example.com"}
    )

    assert (page.context["customer"], page.context["answer"].is_valid) == (customer, True)


def test_nothing_is_written(marketer, project):
    voucher = VoucherFactory(project=project, code="SUMMER", quantity=1)
    body = {"amount": "50", "codes": "SUMMER", "customer": "nobody-knows"}

    for ask in ("try", "qualify"):
        marketer.get(PAGE, body | {"ask": ask})

    voucher.refresh_from_db()
    assert voucher.redeemed_quantity == 0
    rows = [model.objects.count() for model in (Redemption, Order, OutboxEvent)]
    assert rows == [0, 0, 0]


def test_what_a_cart_could_use_is_found_and_can_be_tried(marketer, project):
    tier = PromotionTierFactory(project=project, name="Five off")
    VoucherFactory(project=project, code="TEN")

    page = marketer.get(PAGE, {"ask": "qualify", "amount": "50"})

    found = [(row.name, row.saving, row.total) for row, _ in page.context["suggestions"]]
    assert found == [("TEN", "10.00 EUR", "40.00 EUR"), ("Five off", "5.00 EUR", "45.00 EUR")]
    url = page.context["suggestions"][1][1]
    assert marketer.get(PAGE + url).context["answer"].offers[0].name == tier.name


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"amount": "-1"}, "amount"),
        ({"amount": "5", **lines(("Hat", 1, "3"))}, "amount"),
        (lines(("Hat", 1)), "lines-0-price"),
        (lines(("Hat", 0, 1)), "lines-0-quantity"),
        ({"at": "tomorrow"}, "at"),
        ({"at": "9999-12-31T23:59"}, "at"),
        ({"codes": "A\0"}, "codes"),
        ({"details": "channel: app\nnothing"}, "details"),
        ({"codes": "\n".join(f"C{n}" for n in range(31))}, "codes"),
    ],
)
def test_a_mistake_is_shown_on_its_field(marketer, asked, field):
    page = marketer.get(PAGE, {"ask": "try"} | asked)

    assert list(errors_of(page)) == [field]


def test_a_code_that_stands_there_twice_is_refused(marketer, project):
    voucher = VoucherFactory(project=project, code="SUMMER")

    page = marketer.get(PAGE, {"ask": "try", "amount": "5", "codes": f"SUMMER\n{voucher.public_id}"})

    assert list(errors_of(page)) == ["__all__"]


def test_a_link_fills_codes_and_promotions_in(marketer, project):
    tier = PromotionTierFactory(project=project)

    form = marketer.get(PAGE, {"codes": "SUMMER", "promotions": tier.public_id}).context["form"]

    assert (form["codes"].value(), form["promotions"].value()) == ("SUMMER", [tier.public_id])


def test_another_projects_offers_and_customers_are_not_found(marketer, project):
    other = ProjectFactory()
    VoucherFactory(project=other, code="THEIRS")
    CustomerFactory(project=other, email="them@example.com")
    ProductFactory(project=other, name="Their shoe")
    tier = PromotionTierFactory(project=other, name="Their tier")

    (offer,) = tried(marketer, amount="50", codes="THEIRS").offers
    page = marketer.get(PAGE, {"ask": "try", "amount": "50", "promotions": tier.public_id})
    found = [
        marketer.get(f"{PAGE}goods/", {"lines-0-what": "Their"}),
        marketer.get(f"{PAGE}customers/", {"customer": "them"}),
        marketer.get(f"{PAGE}promotions/", {"find": "Their"}),
    ]

    assert offer.reason == "There is no such code or promotion."
    assert list(errors_of(page)) == ["promotions"]
    assert [answer.content.decode().count("Their") for answer in found] == [0, 0, 0]


def test_what_is_typed_finds_goods_customers_and_promotions(marketer, project):
    ProductFactory(project=project, name="Red shoe", source_id="red")
    CustomerFactory(project=project, name="Bob", source_id="bob")
    tier = PromotionTierFactory(project=project, name="Week")

    goods = marketer.get(f"{PAGE}goods/", {"lines-0-what": "shoe"}).content.decode()
    customers = marketer.get(f"{PAGE}customers/", {"customer": "bo"}).content.decode()
    promotions = marketer.get(f"{PAGE}promotions/", {"find": "wee", "name": "promotions"}).content.decode()

    assert 'value="Red shoe · red"' in goods
    assert 'value="Bob · bob"' in customers
    assert f'name="promotions" value="{tier.public_id}"' in promotions


@pytest.mark.parametrize(
    "path", ["goods/?lines-0-what=%00", "customers/?customer=%00", "promotions/?find=%00&name=x"]
)
def test_characters_that_no_name_has_find_what_is_there(marketer, path):
    assert marketer.get(f"{PAGE}{path}").status_code == 200


def test_a_code_may_have_commas_in_it(marketer, project):
    VoucherFactory(project=project, code="A, B")

    assert tried(marketer, amount="50", codes="A, B").is_valid


def test_the_number_of_queries_does_not_depend_on_the_cart(marketer, project, django_assert_max_num_queries):
    for number in range(8):
        ProductFactory(project=project, name=f"Shoe {number}")
        VoucherFactory(project=project, code=f"CODE{number}")
    small = {"ask": "try", "codes": "CODE0", **lines(("Shoe 0", 1))}
    large = {
        "ask": "try",
        "codes": "\n".join(f"CODE{n}" for n in range(5)),
        **lines(*((f"Shoe {n}", 1) for n in range(8))),
    }
    marketer.get(PAGE, small)
    marketer.get(PAGE, large)

    with django_assert_max_num_queries(100) as few:
        marketer.get(PAGE, small)
    with django_assert_max_num_queries(len(few)):
        marketer.get(PAGE, large)


def test_only_those_who_may_see_redemptions_may_try(client, project):
    user = User.objects.create_user("teammate", is_staff=True)
    client.force_login(user)

    assert client.get(PAGE).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_redemption"))
    assert client.get(PAGE).status_code == 200
