"""Who may only look at something sees its page, and nothing on it leads where they may not go."""

import re
from html import unescape

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse
from django.utils import timezone

from customers.models import Location
from customers.services.consent import save_consent
from redemptions.models import Redemption
from tests import factories
from vouchers.services.delete import delete_voucher

MADE = [
    factories.CampaignFactory,
    factories.PromotionTierFactory,
    factories.VoucherFactory,
    factories.ProductFactory,
    factories.SkuFactory,
    factories.ProductCollectionFactory,
    factories.ValidationRuleFactory,
    factories.CategoryFactory,
    factories.CustomerFactory,
]
LINK = re.compile(r'(?:href|hx-get)="(/admin/[^"#]*)')
SHOP = {
    "core": ("project", "apikey", "metadataschema", "asyncaction", "retentionperiod"),
    "customers": ("customer", "consent", "segment", "location"),
    "campaigns": (
        *("campaign", "promotiontier", "validationrule", "product", "sku", "productcollection"),
        *("category", "projectstacking", "binentry"),
    ),
    "vouchers": ("voucher", "publication"),
    "redemptions": ("redemption", "order", "export"),
    "notifications": ("message",),
}
LOOKS = [f"view_{model}" for models in SHOP.values() for model in models]


def guest(client, codenames):
    user = User.objects.create_user("guest", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(user)
    return client


@pytest.mark.parametrize("factory", MADE, ids=lambda factory: factory._meta.model.__name__)
def test_a_page_is_shown_to_those_who_may_only_look(client, project, factory):
    row = factory(project=project)
    model = row._meta.model_name

    page = guest(client, [f"view_{model}"]).get(
        reverse(f"admin:{row._meta.app_label}_{model}_change", args=[row.pk])
    )

    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()


@pytest.fixture
def shop(project, api):
    """A project with one of most things there are pages of."""
    for factory in MADE:
        factory(project=project)
    voucher = factories.VoucherFactory(project=project, discount={"type": "AMOUNT", "amount_off": 500})
    customer = {"source_id": "ann", "email": "ann@example.com"}
    body = {
        "redeemables": [{"object": "voucher", "id": voucher.code}],
        "customer": customer,
        "order": {"amount": 9000},
    }
    assert api.post("/v1/redemptions", body).status_code == 200
    api.post("/v1/customers", {"source_id": "bob", "email": "ann@example.com"})
    api.post("/v1/segments", {"name": "Listed", "type": "static", "customers": ["ann"]})
    rule = {"rules": {"1": {"name": "order.amount", "conditions": {"$more_than": [5]}}, "logic": "1"}}
    made = api.post("/v1/validation-rules", {"name": "Big", **rule}).json()
    assigned = {"voucher": voucher.code}
    api.post(f"/v1/validation-rules/{made['id']}/assignments", assigned)
    api.post("/v1/exports", {"exported_object": "voucher"})
    save_consent(project, name="News", now=timezone.now())
    Location.objects.create(
        project=project,
        name="Town",
        shape={
            "type": "circle",
            "format": "distance",
            "distance": {"center": "geo:52,21", "radius": "3 km"},
        },
    )
    deleted = factories.VoucherFactory(project=project)
    delete_voucher(project, deleted.public_id, channel="API", now=timezone.now())
    return project


def crawl(client):
    """Return all addresses that links lead to from the first page on, and what those say that refuse."""
    seen, waiting, refused = set(), ["/admin/"], {}
    while waiting:
        url = waiting.pop()
        answer = client.get(url)
        text = "" if answer.streaming else answer.content.decode()
        assert 'name="_save"' not in text
        if answer.status_code >= 400:
            refused[url] = answer.status_code
        found = {unescape(link) for link in LINK.findall(text)} - seen
        seen |= found
        waiting += sorted(link for link in found if "logout" not in link)
    return seen, refused


def test_every_link_leads_where_who_may_only_look_may_go(client, shop):
    seen, refused = crawl(guest(client, LOOKS))

    assert refused == {}
    assert len([url for url in seen if url.endswith("/change/")]) > len(MADE)


@pytest.mark.parametrize(
    "codename", ["view_campaign", "view_voucher", "view_order", "view_customer", "view_redemption"]
)
def test_who_may_see_one_kind_of_page_is_led_to_others_by_their_names_alone(client, shop, codename):
    _seen, refused = crawl(guest(client, [codename]))

    rows = re.compile(r"/change/$|__exact=")
    assert {url: status for url, status in refused.items() if status != 403 or not rows.search(url)} == {}


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/admin/campaigns/campaign/add/", 403, "Your account is not allowed to."),
        ("/admin/redemptions/order/01900000-0000-7000-8000-000000000000/refunds/", 404, "This is not here"),
    ],
)
def test_a_page_that_may_not_be_opened_says_so_in_words(client, shop, path, status, said):
    page = guest(client, LOOKS).get(path)

    assert (page.status_code, said in page.content.decode()) == (status, True)


def test_who_may_only_look_rolls_nothing_back(client, shop, api):
    key = Redemption.objects.get().pk

    guest(client, LOOKS).post(
        "/admin/redemptions/redemption/", {"action": "roll_back", "_selected_action": [str(key)]}
    )

    assert Redemption.objects.get().status == Redemption.Status.SUCCEEDED
