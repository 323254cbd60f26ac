import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
import voucherify as sdk

from tests.product import ROOT


@pytest.fixture(scope="session")
def client(product) -> Iterator[sdk.ApiClient]:
    """The official Python SDK, with the running product's address and keys."""
    configuration = sdk.Configuration(
        host=product.base_url, api_key={"X-App-Id": product.app_id, "X-App-Token": product.app_token}
    )
    with sdk.ApiClient(configuration) as client:
        yield client


@pytest.fixture(scope="session")
def management_key(product) -> dict[str, str]:
    """A management key of the demo shop, as its operator makes one on the command line."""
    command = [sys.executable, str(ROOT / "manage.py"), "create_api_key", "--project", "demo"]
    made = subprocess.run(
        [*command, "--name", "SDK", "--management", "--json"],
        env=without_urls() | {"PROMO_STATE_DIR": str(product.state_dir)},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, str] = json.loads(made.stdout)
    return found


def without_urls() -> dict[str, str]:
    """Return the environment without the database and queues of the tests themselves."""
    return {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
