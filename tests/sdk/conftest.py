from collections.abc import Iterator

import pytest
import voucherify as sdk


@pytest.fixture(scope="session")
def client(product) -> Iterator[sdk.ApiClient]:
    """The official Python SDK, with the running product's address and keys."""
    configuration = sdk.Configuration(
        host=product.base_url, api_key={"X-App-Id": product.app_id, "X-App-Token": product.app_token}
    )
    with sdk.ApiClient(configuration) as client:
        yield client
