"""Codes are found by any of their sides, page after page, by either plan the database may suggest."""

from datetime import timedelta
from itertools import product as combined
from urllib.parse import parse_qs, urlsplit

import pytest
from django.utils import timezone

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import CampaignFactory, CustomerFactory, ProjectFactory, VoucherFactory
from vouchers import search
from vouchers.models import CodeBatch, Voucher
from vouchers.search import find_codes
from vouchers.selections import parse_selection
from vouchers.selectors import vouchers_for_wire

LIST = "/admin/vouchers/voucher/"
NOW = timezone.now()
DAY = timedelta(days=1)


@pytest.fixture(params=["sorted", "walked", "walked in tiny windows"])
def plan(request, monkeypatch):
    """Either way to a page, whatever the planner thinks of so few rows."""
    if request.param != "sorted":
        monkeypatch.setattr(search, "CHEAP", -1.0)
        monkeypatch.setattr(search, "AFFORDABLE", -1.0)
    if request.param == "walked in tiny windows":
        monkeypatch.setattr(search, "WINDOWS", (2, 3, 1000))
    return request.param


def code(project, text, **columns):
    return VoucherFactory(project=project, code=text, code_key=text.upper(), **columns)


def found(project, limit=50, **said):
    return [row.code for row in find_codes(project, parse_selection(said), limit=limit).rows]


def listed(client, **query):
    return [row.code for row in client.get(LIST, query).context["cl"].result_list]


@pytest.mark.parametrize(
    ("typed", "codes"),
    [
        ("SUMMER-24-AB", ["SUMMER-24-AB"]),
        ("summer 24 ab", ["SUMMER-24-AB"]),
        ("summer24ab", ["SUMMER-24-AB"]),
        ("SUMMER\N{EN DASH}24\N{NO-BREAK SPACE}AB", ["SUMMER-24-AB"]),
        (" mer-2 ", ["SUMMER-24-AB"]),
        ("AB", ["AB", "XABC", "SUMMER-24-AB"]),
        ("x", ["XABC"]),
        ("ümlaut", ["Ümlaut"]),
        ("%", ["50%"]),
        ("_", []),
        ("\\", []),
        ("--", []),
        ("never", []),
        ("\0", ["XABC", "Ümlaut", "50%", "AB", "SUMMER-24-AB"]),
    ],
)
def test_a_code_is_found_by_any_piece_of_it_as_it_is_typed_from_paper(project, plan, typed, codes):
    for text in ("SUMMER-24-AB", "AB", "50%", "Ümlaut", "XABC"):
        code(project, text)
    code(ProjectFactory(), "SUMMER-24-AB")

    assert found(project, search=typed) == codes


def test_the_code_that_was_typed_whole_comes_first_and_once(api, project, plan):
    for text in ("AB-1", "AB-12", "AB-13", "AB-14"):
        code(project, text)

    first = api.get("/v1/vouchers", {"search": "ab 1", "limit": 2}).json()
    cursor = first["more_starting_after"]
    second = api.get("/v1/vouchers", {"search": "ab 1", "limit": 2, "starting_after_id": cursor}).json()

    assert [one["code"] for one in first["vouchers"]] == ["AB-1", "AB-14"]
    assert [one["code"] for one in second["vouchers"]] == ["AB-13", "AB-12"]
    assert second["has_more"] is False


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_short_pages_go_on_after_the_codes_that_were_typed_whole(project, plan, limit):
    for text in ("AB-12", "AB12", "AB1234", "XAB12"):
        code(project, text)
    selection, seen, place = parse_selection({"search": "ab-12"}), [], None

    while len(seen) < 10:
        page = find_codes(project, selection, limit=limit, after=place)
        seen += [row.code for row in page.rows]
        if (place := page.after) is None:
            break

    assert seen == ["AB-12", "AB12", "XAB12", "AB1234"]


def test_a_project_that_tells_letters_case_apart_is_searched_in_any(db, plan):
    project = ProjectFactory(case_sensitive_codes=True)
    for text in ("sun-1", "SUN-1"):
        VoucherFactory(project=project, code=text, code_key=text)

    assert found(project, search="Sun") == ["SUN-1", "sun-1"]
    assert found(project, search="sun-1") == ["sun-1", "SUN-1"]


def test_each_state_finds_just_the_codes_that_are_in_it(project, plan):
    disabled = CampaignFactory(project=project, active=False)
    locked = CodeBatch.objects.create(
        project=project, campaign=CampaignFactory(project=project), created_at=NOW, locked_until=NOW + DAY
    )
    for given in (0, 1):
        code(project, f"LOCKED-{given}", campaign=locked.campaign, batch=locked, published_count=given)
    sides = combined(
        (True, False),
        (None, disabled),
        (None, NOW - DAY, NOW + DAY),
        (None, NOW - DAY / 2, NOW + 2 * DAY),
        ((None, 3), (1, 1), (2, 1)),
        (None, 0, 5),
    )
    for number, (active, campaign, start, end, (quantity, used), balance) in enumerate(sides):
        if start and end and start >= end:
            continue
        code(
            project,
            f"C{number}",
            active=active,
            campaign=campaign,
            start_date=start,
            expiration_date=end,
            quantity=quantity,
            redeemed_quantity=used,
            type="GIFT_VOUCHER" if balance is not None else "DISCOUNT_VOUCHER",
            gift_amount=None if balance is None else 5,
            gift_balance=balance,
        )
    states = {row.code: row.state_at(NOW) for row in vouchers_for_wire(project)}

    for state in Voucher.State:
        meant = {name for name, its_state in states.items() if its_state == state}
        shown = set(found(project, limit=1000, state=state.value, at=NOW.isoformat()))
        assert shown == meant, state
        assert meant, state


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ({"holder": "ann@"}, ["C", "B"]),
        ({"holder": "SHOP.EXAMPLE"}, ["C", "B"]),
        ({"holder": "ann-1"}, ["B"]),
        ({"holder": "nobody"}, []),
        ({"attribute": "size", "value": "42"}, ["C", "A"]),
        ({"attribute": "size", "value": "43"}, []),
        ({"attribute": "gift", "value": "yes"}, ["B"]),
        ({"attribute": "tags", "value": "red"}, ["C"]),
        ({"attribute": "size"}, ["C", "A"]),
        ({"created_from": (NOW - DAY).isoformat()}, ["C", "B"]),
        ({"created_to": (NOW - DAY).isoformat()}, ["A"]),
        ({"starts_from": NOW.isoformat()}, ["B"]),
        ({"ends_to": NOW.isoformat()}, ["C"]),
        ({"ends_from": NOW.isoformat()}, ["A"]),
        ({"type": "GIFT_VOUCHER"}, ["A"]),
        ({"active": "false"}, ["B"]),
        ({"holder": "ann@", "attribute": "tags"}, ["C"]),
        ({"attribute": "size", "state": "EXPIRED", "search": "c"}, ["C"]),
        ({"attribute": "size", "state": "EXPIRED", "search": "a"}, []),
    ],
)
def test_each_side_of_a_code_finds_it_alone_and_with_others(project, plan, said, codes):
    first = CustomerFactory(project=project, source_id="ann-1", email="Ann@shop.example")
    second = CustomerFactory(project=project, source_id="ann-2", email="ann@shop.example.org")
    CustomerFactory(project=ProjectFactory(), source_id="ann-1", email="ann@shop.example")
    code(
        project,
        "A",
        type="GIFT_VOUCHER",
        gift_amount=1,
        gift_balance=1,
        metadata={"size": 42},
        created_at=NOW - 9 * DAY,
        expiration_date=NOW + DAY,
    )
    code(project, "B", holder=first, active=False, metadata={"gift": True}, start_date=NOW + DAY)
    code(
        project,
        "C",
        holder=second,
        metadata={"size": "42", "tags": ["red", "new"]},
        expiration_date=NOW - DAY,
    )

    assert found(project, **said) == codes


@pytest.mark.parametrize("said", [{}, {"search": "c-"}, {"state": "ACTIVE"}, {"attribute": "n"}])
def test_pages_hold_every_code_once_there_and_back(api, project, plan, said):
    moments = [NOW - DAY, NOW - DAY, NOW]
    made = [
        code(
            project,
            f"C-{n}",
            metadata={"n": n},
            created_at=moments[n % 3],
            deleted_at=NOW if n == 5 else None,
        )
        for n in range(20)
    ]
    kept = sorted((one for one in made if not one.deleted_at), key=lambda one: (one.created_at, one.pk))
    selection = parse_selection(said)

    there, place = [], None
    while True:
        page = find_codes(project, selection, limit=4, after=place)
        there.append([row.pk for row in page.rows])
        if page.after is None:
            break
        place = page.after
    back = [there[-1]]
    while page.before is not None:
        page = find_codes(project, selection, limit=4, before=page.before)
        back.insert(0, [row.pk for row in page.rows])

    newest_first = [one.pk for one in reversed(kept)]
    assert [key for keys in there for key in keys] == newest_first
    assert [key for keys in back for key in keys][-len(newest_first) :] == newest_first


def test_what_is_too_rare_for_a_walk_is_said_to_go_on(api, project, monkeypatch):
    monkeypatch.setattr(search, "WINDOWS", (2, 3))
    monkeypatch.setattr(search, "CHEAP", -1.0)
    monkeypatch.setattr(search, "AFFORDABLE", -1.0)
    for n in range(12):
        code(project, "RARE" if n == 3 else f"C-{n}")

    first = api.get("/v1/vouchers", {"search": "rar"}).json()
    cursor = first["more_starting_after"]
    second = api.get("/v1/vouchers", {"search": "rar", "starting_after_id": cursor}).json()

    assert (first["vouchers"], first["has_more"], first["looked_through"]) == ([], True, 5)
    assert [one["code"] for one in second["vouchers"]] == ["RARE"]


@pytest.mark.parametrize(("patient", "looked_through", "codes"), [(-1.0, 4, []), (600_000.0, None, ["RARE"])])
def test_to_look_further_goes_through_more(api, project, monkeypatch, patient, looked_through, codes):
    for name, value in (("CHEAP", -1.0), ("AFFORDABLE", -1.0), ("PATIENT", patient)):
        monkeypatch.setattr(search, name, value)
    monkeypatch.setattr(search, "WINDOWS", (2,))
    monkeypatch.setattr(search, "FURTHER", (4,))
    for n in range(12):
        code(project, "RARE" if n == 3 else f"C-{n}")

    first = api.get("/v1/vouchers", {"search": "rar"}).json()
    cursor = first["more_starting_after"]
    second = api.get("/v1/vouchers", {"search": "rar", "starting_after_id": cursor}).json()

    assert (first["vouchers"], first["looked_through"]) == ([], 2)
    assert second.get("looked_through") == looked_through
    assert [one["code"] for one in second["vouchers"]] == codes


def test_a_search_goes_with_the_published_filters(api, project, plan):
    campaign = CampaignFactory(project=project, name="Spring")
    code(project, "A-1", campaign=campaign, expiration_date=NOW + DAY)
    code(project, "A-2", campaign=campaign, expiration_date=NOW + 3 * DAY)
    code(project, "A-3", expiration_date=NOW + 3 * DAY)

    answer = api.get(
        "/v1/vouchers",
        {
            "search": "a",
            "campaign": "Spring",
            "filters[expiration_date][conditions][$after]": (NOW + 2 * DAY).isoformat(),
        },
    ).json()

    assert [one["code"] for one in answer["vouchers"]] == ["A-2"]
    assert (answer["total"], answer["has_more"]) == (1, False)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"status": "SOLD"}, "no state of codes 'SOLD'"),
        ({"search": "x" * 256}, "up to 255 characters"),
        ({"search": "a", "page": "2"}, ".page does not go with a search"),
        ({"search": "a", "order": "code"}, ".order does not go with a search"),
        ({"starting_after_id": "nonsense"}, ".starting_after_id is not an id"),
        ({"starting_after_id": "v_1", "ending_before_id": "v_2"}, "is not an id"),
        ({"search": "a", "filters[size][conditions][$is]": "1"}, ".filters.size is not one of"),
    ],
)
def test_a_wrong_search_is_refused_by_name(api, query, words):
    answer = api.get("/v1/vouchers", query)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_query_params")
    assert words in answer.json()["details"]


def test_a_holder_that_too_many_could_be_is_refused(api, project, monkeypatch):
    monkeypatch.setattr("vouchers.criteria.HOLDERS_MAX", 2)
    for _ in range(3):
        CustomerFactory(project=project)

    answer = api.get("/v1/vouchers", {"holder": "example"})

    assert answer.status_code == 400
    assert "write more of it" in answer.json()["details"]


def test_the_page_that_changes_many_says_when_too_many_could_hold_them(marketer, project, monkeypatch):
    monkeypatch.setattr("vouchers.criteria.HOLDERS_MAX", 2)
    for _ in range(3):
        VoucherFactory(project=project, holder=CustomerFactory(project=project))

    page = marketer.get(f"{LIST}change-many/", {"holder": "example"})
    posted = marketer.post(f"{LIST}change-many/?holder=example", {"kind": "delete"})

    assert "write more of it" in page.content.decode()
    assert posted.status_code == 200
    assert Voucher.objects.present().count() == 3


def test_another_projects_campaign_and_cursor_find_nothing_of_it(api, project):
    other = ProjectFactory()
    campaign = CampaignFactory(project=other)
    foreign = code(other, "FOREIGN", campaign=campaign)
    own = code(project, "OWN")

    of_campaign = api.get("/v1/vouchers", {"search": "", "campaign": campaign.public_id}).json()
    after = api.get("/v1/vouchers", {"starting_after_id": foreign.public_id}).json()

    assert of_campaign["vouchers"] == []
    assert [one["id"] for one in after["vouchers"]] == [own.public_id]


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ({"q": "sun 1"}, ["SUN-1"]),
        ({"campaign__id__exact": "spring"}, ["SUN-1"]),
        ({"holder": "ann@"}, ["SUN-2"]),
        ({"state": "DISABLED"}, ["SUN-2"]),
        ({"type__exact": "GIFT_VOUCHER"}, []),
        ({"created_from": "2026-03-02", "created_to": "2026-03-02"}, ["SUN-1"]),
        ({"ends_from": "2090-01-01", "ends_to": "2090-01-01"}, ["SUN-2"]),
        ({"attribute": "size", "value": "42"}, ["SUN-1"]),
        ({"attribute": "size", "state": "DISABLED", "q": "sun"}, []),
        ({"q": "", "state": "", "holder": "", "created_from": "", "value": ""}, ["SUN-2", "SUN-1"]),
    ],
)
def test_the_dashboards_list_is_filtered_in_plain_words(marketer, project, query, codes):
    project.timezone = "America/New_York"
    project.save()
    campaign = CampaignFactory(project=project)
    ann = CustomerFactory(project=project, email="ann@shop.example")
    # The second of March lasts in New York until five o'clock of the third.
    code(project, "SUN-1", campaign=campaign, metadata={"size": 42}, created_at="2026-03-03T04:59:59Z")
    code(project, "SUN-2", holder=ann, active=False, expiration_date="2090-01-02T04:59:59Z")
    if "campaign__id__exact" in query:
        query = {"campaign__id__exact": str(campaign.pk)}

    assert listed(marketer, **query) == codes


def test_the_dashboard_goes_to_the_next_page_and_back(marketer, project):
    made = Voucher.objects.bulk_create(VoucherFactory.build(project=project) for _ in range(65))
    newest_first = [row.code for row in reversed(made)]

    first = marketer.get(LIST, {"state": "ACTIVE"})
    links = first.context["cl"].place_links()
    second = marketer.get(LIST + links["next"])
    links_back = second.context["cl"].place_links()
    again = marketer.get(LIST + links_back["previous"])

    assert "65 in all" in first.content.decode()
    assert (links["first"], links["previous"]) == (None, None)
    assert parse_qs(urlsplit(links["next"]).query)["state"] == ["ACTIVE"]
    assert [row.code for row in second.context["cl"].result_list] == newest_first[50:]
    assert links_back["next"] is None
    assert [row.code for row in again.context["cl"].result_list] == newest_first[:50]


def test_the_dashboard_says_how_many_codes_it_looked_through(marketer, project, monkeypatch):
    monkeypatch.setattr(search, "WINDOWS", (2,))
    monkeypatch.setattr(search, "CHEAP", -1.0)
    monkeypatch.setattr(search, "AFFORDABLE", -1.0)
    for n in range(4):
        code(project, f"C-{n}")

    page = marketer.get(LIST, {"q": "c-0"}).content.decode()

    assert "2 codes looked through" in page
    assert "Look further" in page


@pytest.mark.parametrize("query", [{"state": "SOLD"}, {"created_from": "tomorrow"}, {"value": "42"}])
def test_the_dashboard_says_what_is_wrong_with_a_filter_and_keeps_it(marketer, project, query):
    code(project, "SUN-1")

    answer = marketer.get(LIST, query)

    assert answer.context["cl"].result_list == []
    assert [message.level_tag for message in answer.context["messages"]] == ["error"]


def test_a_page_of_codes_takes_as_many_queries_however_many_it_shows(
    marketer, project, django_assert_max_num_queries
):
    customer = CustomerFactory(project=project)
    for n in range(30):
        code(project, f"C-{n}", campaign=CampaignFactory(project=project), holder=customer)
    marketer.get(LIST, {"q": "c-", "holder": customer.source_id})

    with django_assert_max_num_queries(24):
        marketer.get(LIST, {"q": "c-", "holder": customer.source_id})


def test_what_an_export_says_is_what_the_list_is_filtered_by(marketer, project):
    code(project, "SUN-1", active=False)
    code(project, "SUN-2")

    page = marketer.get("/admin/redemptions/export/new/voucher/", {"state": "DISABLED", "q": "sun 1"})

    assert page.context["said"] == ["Search: “sun 1”", "codes: Disabled"]
    assert page.context["total"].count == 1


@pytest.mark.parametrize("action", ["disable", "delete_selected"])
def test_all_that_match_are_never_loaded_but_changed_in_the_background(marketer, project, action):
    for n in range(3):
        code(project, f"A-{n}")
    kept = code(project, "B-1")

    asked = marketer.post(
        f"{LIST}?q=a-", {"action": action, "select_across": "1", "_selected_action": [str(kept.pk)]}
    )
    page = marketer.get(asked.url)
    marketer.post(asked.url, {"kind": page.context["form"].initial["kind"]})
    run_async_action(AsyncAction.objects.get().pk)

    assert page.context["total"].count == 3
    assert list(Voucher.objects.present().filter(active=True).values_list("code", flat=True)) == ["B-1"]


def test_the_search_of_the_whole_dashboard_shows_a_few_of_many(marketer, project):
    Voucher.objects.bulk_create(
        VoucherFactory.build(project=project, code=f"SUN-{n}", code_key=f"SUN-{n}") for n in range(30)
    )

    page = marketer.get("/admin/search/", {"s": "sun", "extended": "1"}).content.decode()

    assert 0 < page.count("SUN-") <= 40
