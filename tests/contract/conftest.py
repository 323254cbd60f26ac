import pytest

from tests.api import Api
from tests.contract.published import CONTRACT, published


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


@pytest.fixture
def contract(api) -> ContractApi:
    return ContractApi(api)


@pytest.fixture
def client_contract(client_api) -> ContractApi:
    return ContractApi(client_api)
