"""Answers about exports have the published shape."""

import pytest

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from tests.factories import VoucherFactory


@pytest.mark.parametrize("exported_object", ["voucher", "redemption", "customer", "publication", "order"])
def test_export(contract, project, exported_object):
    VoucherFactory(project=project)
    body = {"exported_object": exported_object, "parameters": {"order": "-created_at"}}

    made = contract.call("post", "/v1/exports", body)
    path = f"/v1/exports/{made['id']}"
    contract.call("get", path)
    run_async_action(AsyncAction.objects.get(project=project, type="EXPORT").pk)
    done = contract.call("get", path)

    assert done["status"] == "DONE"
    contract.call("get", "/v1/exports", query={"order": "-status"})
    contract.call("delete", path, status=204)
    contract.call("get", path, status=404)
    contract.call("post", "/v1/exports", {"exported_object": "planet"}, status=400)
