"""Typed reading of the environment: a wrong value stops the start and names the variable."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def env_secret(name: str, default: str = "") -> str:
    """Return the text of `name`, or the content of the file that `NAME_FILE` points to.

    Raises:
        ImproperlyConfigured: the named file cannot be read.
    """
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: {error}") from error
    return os.environ.get(name, default)


def env_bool(name: str, default: bool) -> bool:
    """Return whether `name` is on.

    Raises:
        ImproperlyConfigured: the value is not one of 1, 0, true, false, yes, no, on, off.
    """
    text = os.environ.get(name, "").strip().lower()
    if not text:
        return default
    if text in {"1", "true", "yes", "on"}:
        return True
    if text in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={text!r} is neither true nor false")


def env_int(name: str, default: int) -> int:
    """Return `name` as a whole number.

    Raises:
        ImproperlyConfigured: the value is not a whole number.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        return default
    try:
        return int(text)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={text!r} is not a whole number") from error


def env_list(name: str, default: list[str]) -> list[str]:
    """Return the comma-separated values of `name`."""
    text = os.environ.get(name, "")
    return [part.strip() for part in text.split(",") if part.strip()] or default
