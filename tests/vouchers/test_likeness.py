"""Codes are found as people mistype them, where only one can be meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import CampaignFactory, ProjectFactory, VoucherFactory
from vouchers.check_characters import check_character
from vouchers.likeness import read_by
from vouchers.patterns import DEFAULT_CHARSET, LEGIBLE_CHARSET, CodePattern, parse_code_config
from vouchers.search import find_codes
from vouchers.selections import parse_selection

LIST = "/admin/vouchers/voucher/"
DIGITS, CAPITALS = "0123456789", "ABCDEFGHJKMNPQRSTUVWXYZ"


def config(pattern="SPRING-####-####", charset=LEGIBLE_CHARSET, **more):
    return {"pattern": pattern, "charset": charset, **more}


def code_of(project, code, **said):
    campaign = CampaignFactory(project=project, code_config=config(**said))
    key = code if project.case_sensitive_codes else code.upper()
    return VoucherFactory(project=project, campaign=campaign, code=code, code_key=key, discount=None)


def meant(api, typed, **query):
    body = api.get("/v1/vouchers", {"search": typed, **query}).json()
    assert body["vouchers"] == []
    return body.get("did_you_mean")


DISGUISES = {"0": "0Oo", "1": "1IiLl", "O": "0Oo", "I": "1IiLl", "L": "1IiLl"}


@given(st.data(), st.sampled_from([LEGIBLE_CHARSET, DIGITS, CAPITALS, "acdefgh2345"]), st.booleans())
def test_any_code_is_read_from_any_disguise(data, charset, has_check):
    if has_check and len(charset) % 2:
        charset = charset[1:]
    pattern = parse_code_config(config("OIL-1##-#0 ###", charset, check_character=has_check, postfix="-l"))
    random = "".join(data.draw(st.sampled_from(charset)) for _ in range(pattern.places))
    check = check_character(charset, random) if has_check else ""
    code = f"OIL-1{random[:2]}-{random[2]}0 {random[3:]}{check}-l"
    signs = []
    for sign in code:
        signs.append(data.draw(st.sampled_from(DISGUISES.get(sign.upper(), sign.lower() + sign.upper()))))
        signs.append(data.draw(st.sampled_from(["", "", " ", "-"])))
    typed = "".join(signs)

    assert read_by(pattern, typed, tells_case=True) == code
    assert read_by(pattern, typed, tells_case=False).upper() == code.upper()


@given(st.text(max_size=30))
def test_whatever_is_typed_is_read_or_not(typed):
    pattern = CodePattern("AB-####", LEGIBLE_CHARSET, has_check=True)

    code = read_by(pattern, typed, tells_case=True)

    assert code is None or read_by(pattern, code, tells_case=True) == code


@pytest.mark.parametrize(
    ("typed", "charset"),
    [
        ("SPRING-00AB-2345", DEFAULT_CHARSET),  # O and 0 are both of it
        ("SPRING-00AB-2345", "AaBb23450"),  # letters of either case
        ("SPRING-00AB-2345", "AB2345-0"),  # a dash is a character
        ("SPRING-00AB-2345", LEGIBLE_CHARSET),  # no such character
        ("SPRING-23AB-234", LEGIBLE_CHARSET),
        ("SPRING-23AB-23456", LEGIBLE_CHARSET),
        ("SUMMER-23AB-2345", LEGIBLE_CHARSET),
        ("", LEGIBLE_CHARSET),
    ],
)
def test_what_could_be_two_codes_or_none_is_not_read(typed, charset):
    pattern = parse_code_config(config(charset=charset))

    assert read_by(pattern, typed, tells_case=True) is None


def test_a_code_mistyped_is_asked_back_over_rest(api, project):
    code_of(project, "SPRING-23BC-45DF")
    code_of(project, "O-1001", pattern="O-####", charset=DIGITS)

    assert meant(api, "spr1ng 23bc 45df") == "SPRING-23BC-45DF"
    assert meant(api, "5PRING-23BC-45DF") is None
    assert meant(api, "0lOOI") == "O-1001"


def test_a_project_that_tells_letters_case_apart_is_read_in_any(db):
    project = ProjectFactory(case_sensitive_codes=True)
    code_of(project, "SPRING-23BC-45DF")
    code_of(project, "Gift-aB01", pattern="Gift-####", charset=DEFAULT_CHARSET)

    assert search_of(project, "spr1ng23bc45df") == "SPRING-23BC-45DF"
    assert search_of(project, "g1ft-ab01") == ""


def test_two_that_could_be_meant_are_none(project):
    code_of(project, "A-0001", pattern="A-####", charset=DIGITS)
    code_of(project, "A-OOOI", pattern="A-####", charset="OI")

    assert search_of(project, "A-0oo1") == ""


def test_only_codes_that_their_campaign_makes_so_are_meant(project):
    code_of(project, "SPRING-23BC-45DF", pattern="OTHER-####")
    VoucherFactory(project=project, code="SPRING-23BC-45DF2", code_key="SPRING-23BC-45DF2")
    CampaignFactory(project=project, code_config=config())
    CampaignFactory(project=project, code_config=config(pattern="SPRING-####-#####"))

    assert search_of(project, "spr1ng-23bc-45df") == ""
    assert search_of(project, "spr1ng-23bc-45df2") == ""


def test_another_projects_codes_and_those_in_the_bin_are_not_meant(api, project):
    code_of(ProjectFactory(), "SPRING-23BC-45DF")
    code = code_of(project, "SPRING-23BC-45DG")
    CampaignFactory(project=project, code_config=config())
    api.delete(f"/v1/vouchers/{code.code}")

    assert meant(api, "spr1ng-23bc-45df") is None
    assert meant(api, "spr1ng-23bc-45dg") is None


def test_what_else_is_asked_holds_of_it(api, project):
    code_of(project, "SPRING-23BC-45DF")

    assert meant(api, "spr1ng-23bc-45df", status="ACTIVE") == "SPRING-23BC-45DF"
    assert meant(api, "spr1ng-23bc-45df", status="DISABLED") is None


def test_the_list_asks_whether_it_was_meant(marketer, project):
    code_of(project, "SPRING-23BC-45DF")

    html = marketer.get(LIST, {"q": "spr1ng 23bc 45df", "state": "ACTIVE"}).content.decode()

    assert "Did you mean <a" in html
    assert "SPRING-23BC-45DF</a>?" in html
    assert "state=ACTIVE" in html


def test_a_storefront_gets_the_code_it_names_and_no_other(api, project):
    code_of(project, "SPRING-23BC-45DF")
    body = {"redeemables": [{"object": "voucher", "id": "SPR1NG-23BC-45DF"}], "order": {"amount": 100}}

    answer = api.post("/v1/validations", body).json()

    assert answer["valid"] is False
    assert answer["redeemables"][0]["result"]["error"]["key"] == "not_found"


def search_of(project, typed):
    found = find_codes(project, parse_selection({"search": typed}), limit=50)
    assert found.rows == []
    return found.meant
