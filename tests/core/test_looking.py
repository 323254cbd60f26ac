"""Who may only look at something sees its page, and nothing on it leads where they may not go."""

import re
from html import unescape

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.auth.models import Permission, User
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from campaigns.models import ProductCollection, ProjectStacking
from customers.models import Location
from customers.services.consent import save_consent
from notifications.models import Message
from promoengine.core.admin_project import ProjectModelAdmin
from redemptions.models import Export, Redemption
from tests import factories
from vouchers.models import Publication
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


def looked_at(client, row):
    """Return what the page of a row says to somebody who may only look."""
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    text = client.get(page).content.decode().partition('id="content-main"')[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


def test_all_fields_that_lookers_are_shown_are_known_of_the_row(client, shop):
    looker = guest(client, LOOKS)
    request = RequestFactory().get("/")
    request.user, request.session = User.objects.get(), looker.session
    shown = set()

    for model, page in admin.site._registry.items():
        if not isinstance(page, ProjectModelAdmin):
            continue
        row = page.get_queryset(request).first()
        if row is None:
            continue
        columns = {column.name for column in model._meta.get_fields()}
        for name in flatten_fieldsets(page.get_fieldsets(request, row)):
            assert callable(name) or name in columns or hasattr(page, name) or hasattr(row, name), name
        shown.add(model)

    assert len(shown) > 10


def test_lookers_are_told_what_forms_say(client, project, api):
    product = factories.ProductFactory(project=project, price=1250, source_id="mug", attributes=["size"])
    sku = factories.SkuFactory(project=project, product=product, price=None, attributes={"size": "L"})
    category = factories.CategoryFactory(project=project, name="Alone")
    project.stacking_rules = {"exclusive_categories": [category.public_id], "redeemables_limit": 7}
    project.save()
    campaign = factories.CampaignFactory(project=project, one_customer_by=["email"], guests="REFUSED")
    api.post(
        "/v1/product-collections",
        {
            "type": "AUTO_UPDATE",
            "name": "Cheap",
            "filter": {
                "junction": "and",
                "price": {"conditions": {"$less_than_or_equal": [1250]}},
                "metadata.brand": {"conditions": {"$is": ["Acme"]}},
                "created_at": {"conditions": {"$has_value": [True]}},
                "name": {"conditions": {"$not_contain": ["x"]}},
            },
        },
    )
    collection = ProductCollection.objects.get()
    looker = guest(client, LOOKS)

    said = {row: looked_at(looker, row) for row in (product, sku, category, campaign, collection)}
    said["stacking"] = looked_at(looker, ProjectStacking.objects.get(pk=project.pk))

    for row, texts in {
        product: ["The shop's own id mug", "Price 12.50", "What its SKUs differ in size"],
        sku: ["Price 12.50", "What it differs in size: L"],
        category: [
            "Its offers can be used Alone: not with ordinary offers",
            "Where an offer changes nothing As the stacking rules say",
        ],
        campaign: [
            "Who shares one of these counts as one customer E-mail address, however it is spelled",
            "May guests use it? No, they have to sign in",
            "Codes 0",
        ],
        collection: [
            "Price is at most 12.50",
            "brand is Acme",
            "Created is set",
            "Name does not contain x",
        ],
        "stacking": ["Offers in one request 7", "Offers apply In the order in which the shop sends them"],
    }.items():
        for text in texts:
            assert text in said[row]


def test_who_may_only_look_sends_no_message_again(client, project):
    message = Message.objects.create(
        project=project,
        event_id=project.pk,
        channel="email",
        recipient="a@b.c",
        status="failed",
        created_at=timezone.now(),
    )
    path, chosen = "/admin/notifications/message/", {"_selected_action": [str(message.pk)]}
    looker = guest(client, LOOKS)

    page = looker.get(path).content.decode()
    looker.post(path, {"action": "send_failed_again"} | chosen)

    assert "Send again" not in page
    assert Message.objects.get().status == "failed"
    User.objects.get().user_permissions.add(Permission.objects.get(codename="change_message"))
    assert "Send again" in looker.get(path).content.decode()


def test_who_may_only_look_deletes_the_files_of_their_own_alone(client, project, api):
    api.post("/v1/exports", {"exported_object": "voucher"})
    looker = guest(client, LOOKS)
    looker.post("/admin/redemptions/export/new/voucher/", {"fields_chosen": ["code"], "format": "CSV"})
    own, other = Export.objects.get(user__isnull=False), Export.objects.get(user=None)
    path = "/admin/redemptions/export/{}/delete/"

    assert (
        "Delete export" not in looker.get(path.format(other.pk).replace("delete", "change")).content.decode()
    )
    refused = looker.post(path.format(other.pk), {"post": "yes"})
    looker.post(path.format(own.pk), {"post": "yes"})

    assert (refused.status_code, list(Export.objects.all())) == (403, [other])
    assert "delete_selected" not in looker.get("/admin/redemptions/export/").content.decode()


def test_a_publication_names_its_codes(client, project, api):
    campaign = factories.CampaignFactory(project=project)
    codes = [factories.VoucherFactory(project=project, campaign=campaign).code for _ in range(2)]
    body = {"campaign": {"name": campaign.name, "count": 2}, "customer": {"source_id": "ann"}}
    assert api.post("/v1/publications", body | {"metadata": {"gift": "hat"}}).status_code == 200
    looker, row = guest(client, LOOKS), Publication.objects.get()

    listed = looker.get("/admin/vouchers/publication/").content.decode()
    said = looked_at(looker, row)

    assert f"{row.voucher_code} and 1 more" in listed
    assert all(code in said for code in codes)
    assert "gift: hat" in said
