"""What is generated once and kept in the state directory, readable by its owner alone."""

import json
import os
import secrets
from pathlib import Path
from typing import Any


def secret_key(state_dir: Path) -> str:
    """Return the installation's secret key, made on the first call."""
    path = state_dir / "secret_key"
    if not path.exists():
        write_private(path, secrets.token_urlsafe(50))
    return path.read_text()


def read_credentials(state_dir: Path) -> dict[str, Any]:
    """Return what the first start generated: the admin's password and the demo project's keys."""
    path = state_dir / "credentials.json"
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write_credentials(state_dir: Path, credentials: dict[str, Any]) -> None:
    write_private(state_dir / "credentials.json", json.dumps(credentials, indent=2))


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        if path.name != "secret_key":
            os.replace(draft, path)
            return
    draft.unlink()
