import pytest

from tests.api import Api
from tests.contract.described import problems
from tests.contract.published import CONTRACT, published

ERROR = {"code": int, "key": str, "message": str, "details": str, "request_id": str}
NAMED = {"resource_type": str, "resource_id": str}


def pytest_collection_modifyitems(items):
    """Without the published contract beside the checkout there is nothing to compare with."""
    if not CONTRACT.exists():
        for item in items:
            if item.path.is_relative_to(__file__.rpartition("/")[0]):
                item.add_marker(pytest.mark.skip(reason=f"NO CONTRACT TESTS: {CONTRACT} is missing"))


class ContractApi:
    """Calls the API and holds every answer against the published contract."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def call(self, method, path, body=None, query=None, status=200):
        if method == "get":
            answer = self.api.get(path, query)
        elif method == "delete":
            answer = self.api.delete(path)
        else:
            answer = getattr(self.api, method)(path, body)
        data = answer.json() if answer.content else None
        assert answer.status_code == status, data
        assert published().problems(method, path.partition("?")[0], status, data) == [], data
        return data


class OurApi:
    """Calls endpoints of our own and holds every answer against their own description."""

    def __init__(self, api: Api) -> None:
        self.api = api

    def call(self, method, path, body=None, query=None, status=200):
        answer = self._answer(method, path, body, query)
        data = answer.json() if answer.content else None
        assert answer.status_code == status, data
        if status < 400:
            assert problems(method, path, status, data) == [], data
        else:
            assert_refusal(data, status)
        return data

    def refused(self, method, path, body=None, *, status, key, named=()):
        """Call it, and return the details of why it was refused; `named` are fields beside the usual."""
        data = self._answer(method, path, body, None).json()
        assert_refusal(data, status, named)
        assert data["key"] == key, data
        return data["details"]

    def _answer(self, method, path, body, query):
        if method == "delete":
            return self.api.delete(path)
        return self.api.get(path, query) if method == "get" else getattr(self.api, method)(path, body)


def assert_refusal(data, status, named=()):
    fields = ERROR | (NAMED if status == 404 else {}) | dict.fromkeys(named, object)
    assert data.keys() == fields.keys(), data
    assert [name for name, kind in fields.items() if not isinstance(data[name], kind)] == []
    assert data["code"] == status, data


@pytest.fixture
def ours(api) -> OurApi:
    return OurApi(api)


@pytest.fixture
def our_client_side(client_api) -> OurApi:
    return OurApi(client_api)


@pytest.fixture
def contract(api) -> ContractApi:
    return ContractApi(api)


@pytest.fixture
def client_contract(client_api) -> ContractApi:
    return ContractApi(client_api)
