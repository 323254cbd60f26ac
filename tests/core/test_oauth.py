"""Bearer tokens made from API keys."""

from datetime import UTC, datetime, timedelta

import pytest

from promoengine.core.models import ApiKey, OAuthToken
from promoengine.core.services.api_keys import revoke_api_key


def token(api, **form):
    body = {"grant_type": "client_credentials", "scope": "api"} | form
    return api.client.post("/v1/oauth/token", body, headers=api.headers)


def bearer(api, answer, path="/v1/vouchers"):
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    return api.client.get(path, headers=headers)


def test_a_token_opens_the_api(api):
    answer = token(api)

    assert bearer(api, answer).status_code == 200
    assert (answer.json()["expires_in"], answer.json()["token_type"]) == (900, "Bearer")


def test_json_is_taken_as_well(api):
    assert (
        api.post("/v1/oauth/token", {"grant_type": "client_credentials", "scope": "api"}).status_code == 200
    )


def test_a_scope_opens_only_its_resource(api):
    answer = token(api, scope="vouchers redemptions")

    assert bearer(api, answer, "/v1/redemptions").status_code == 200
    assert bearer(api, answer, "/v1/customers").json()["key"] == "missing_required_permission"


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ({"scope": "everything"}, "invalid_scope"),
        ({"grant_type": "password"}, "invalid_grant_type"),
        ({"scope": ""}, "missing_parameters"),
        ({"grant_type": ""}, "missing_parameters"),
    ],
)
def test_a_wrong_request_is_named(api, form, key):
    assert token(api, **form).json()["key"] == key


def test_an_expired_token_is_dead(api):
    answer = token(api)
    OAuthToken.objects.update(expires_at=datetime.now(UTC) - timedelta(seconds=1))

    assert bearer(api, answer).status_code == 401


def test_a_revoked_key_kills_its_tokens(api, project):
    answer = token(api)
    revoke_api_key(project, key=ApiKey.objects.get(project=project), now=datetime.now(UTC))

    assert bearer(api, answer).status_code == 401
    assert api.get("/v1/vouchers").status_code == 401


def test_a_token_is_introspected_and_revoked(api):
    secret = token(api).json()["access_token"]

    alive = api.post("/v1/oauth/introspect", {"access_token": secret}).json()
    revoked = api.post("/v1/oauth/token/revoke", {"access_token": secret})
    dead = api.post("/v1/oauth/introspect", {"access_token": secret}).json()

    assert (alive["active"], revoked.status_code, dead) == (True, 204, {"active": False})


def test_another_project_can_neither_see_nor_revoke_a_token(api, other_api):
    secret = token(api).json()["access_token"]

    assert other_api.post("/v1/oauth/introspect", {"access_token": secret}).json() == {"active": False}
    assert other_api.post("/v1/oauth/token/revoke", {"access_token": secret}).status_code == 404


def test_secrets_are_stored_as_hashes_only(api):
    secret = token(api).json()["access_token"]

    assert OAuthToken.objects.get().token_hash != secret
    assert ApiKey.objects.get().token_hash not in api.headers.values()
