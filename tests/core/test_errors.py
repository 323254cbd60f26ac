"""Whatever goes wrong, the answer is the published error body: never a page, a traceback or a 500."""

import pytest

from promoengine.core.api.renderers import BODY_LIMIT


def raw(api, body, content_type="application/json", path="/v1/campaigns"):
    return api.client.post(path, body, content_type=content_type, headers=api.headers)


@pytest.mark.parametrize(
    "path", ["/v1/nonsense", "/v1", "/v1/", "/client/v1/nonsense", "/management/v1/x/y", "/v1/a/b/c"]
)
def test_an_unknown_route_is_not_found(api, path):
    answer = api.get(path)

    assert (answer.status_code, answer.json()["key"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("delete", "/v1/campaigns"), ("put", "/v1/redemptions"), ("get", "/v1/validations")]
)
def test_a_wrong_method_is_named(api, method, path):
    answer = getattr(api, method)(path)

    assert (answer.status_code, answer.json()["key"]) == (405, "method_not_allowed")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"name": NaN}',
        b'{"a": "\xff"}',
        b'{"name": "\\ud800"}',
        b"[" * 5000,
        b"null",
        b"5",
        b'"x"',
        b"[]",
    ],
)
def test_a_malformed_body_is_refused(api, body):
    answer = raw(api, body)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")


def test_a_body_over_ten_megabytes_is_refused(api):
    answer = raw(api, b'{"name": "' + b"x" * BODY_LIMIT + b'"}')

    assert (answer.status_code, answer.json()["key"]) == (413, "query_too_large")


def test_another_content_type_is_refused(api):
    answer = raw(api, b"<a/>", "application/xml")

    assert (answer.status_code, answer.json()["key"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("path", ["/v1/vouchers/a%00b", "/v1/vouchers?code=a%00b", "/v1/customers/%00"])
def test_a_nul_byte_in_an_address_is_refused(api, path):
    answer = api.get(path)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_payload")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-App-Id": "x", "X-App-Token": "y"},
        {"X-App-Id": "00000000-0000-0000-0000-000000000000", "X-App-Token": "y"},
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic eDp5"},
    ],
)
def test_a_wrong_key_is_unauthorized(api, headers):
    answer = api.client.get("/v1/campaigns", headers=headers)

    assert (answer.status_code, answer.json()["message"]) == (401, "Unauthorized")


def test_a_key_of_another_kind_is_unauthorized(client_api):
    server_headers = dict(zip(("X-App-Id", "X-App-Token"), client_api.headers.values(), strict=True))

    assert client_api.client.get("/v1/campaigns", headers=server_headers).status_code == 401


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 101},
        {"limit": 0},
        {"limit": "x"},
        {"page": 0},
        {"page": "\N{ARABIC-INDIC DIGIT ONE}"},
        {"order": "nonsense"},
        {"created_at[after]": "yesterday"},
        {"filters[nonsense][conditions][$is]": "x"},
        {"filters[code][conditions][$nonsense]": "x"},
        {"filters[created_at][conditions][$after]": "32.13.2026"},
        {"filters[junction]": "xor"},
        {"filters[redemption.redeemed_quantity][conditions][$is]": "9" * 30},
    ],
)
def test_a_wrong_query_is_named(api, query):
    answer = api.get("/v1/vouchers", query)

    assert (answer.status_code, answer.json()["key"]) == (400, "invalid_query_params")


def test_pages_end_at_the_thousandth(api):
    assert api.get("/v1/vouchers", {"page": 1001}).json()["key"] == "page_over_limit"


@pytest.mark.parametrize("path", ["/v1/campaigns/", "/v1/vouchers/", "/v1/customers/"])
def test_a_trailing_slash_makes_no_difference(api, path):
    assert api.get(path).status_code == 200


def test_the_answer_says_what_the_request_was(api):
    answer = api.get("/v1/vouchers/none").json()

    assert answer["details"] == "Cannot find voucher with id none"
    assert answer["request_id"].startswith("v-")


def test_every_answer_carries_the_rate_headers(api):
    answer = api.get("/v1/campaigns")

    assert {"X-Rate-Limit-Limit", "X-Rate-Limit-Remaining", "X-Rate-Limit-Retry"} <= set(answer.headers)


def test_too_many_requests_are_refused_with_the_time_to_wait(api, settings):
    settings.RATE_LIMIT_PER_MINUTE = 2
    api.get("/v1/campaigns")
    api.get("/v1/campaigns")

    answer = api.get("/v1/campaigns")

    assert answer.status_code == 429
    assert 1 <= int(answer["Retry-After"]) <= 60

    assert api.get("/v1/campaigns").status_code in (200, 429)


def test_a_browser_may_ask_before_it_sends(client_api):
    answer = client_api.client.options("/client/v1/validations", headers={"Origin": "https://shop.example"})

    assert answer.status_code == 204
    assert "X-Client-Token" in answer["Access-Control-Allow-Headers"]


def test_a_page_of_another_origin_is_refused(client_api, project):
    project.client_trusted_domains = ["shop.example"]
    project.save()

    answer = client_api.post("/client/v1/validations", {"redeemables": []}, Origin="https://evil.example")
    trusted = client_api.post(
        "/client/v1/validations",
        {"redeemables": [{"object": "voucher", "id": "x"}]},
        Origin="https://shop.example",
    )

    assert (answer.status_code, trusted.status_code) == (403, 200)


def test_without_valkey_nobody_is_refused(api, settings):
    settings.REDIS_URL = "unix:///nowhere.sock?db=0"

    answer = api.get("/v1/campaigns")

    assert (answer.status_code, "X-Rate-Limit-Limit" in answer) == (200, False)
