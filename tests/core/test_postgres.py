"""A kept connection is asked whether it lives only after it has been idle."""

import pytest
from django.db import connections

from promoengine.core.postgres import base


@pytest.fixture
def checks(db, monkeypatch):
    """What the connection was asked, as a list that grows."""
    asked = []
    monkeypatch.setattr(base.base.DatabaseWrapper, "is_usable", lambda self: asked.append(1) or True)
    monkeypatch.setattr(connections["default"], "health_check_enabled", True)
    return asked


def begin_request():
    connection = connections["default"]
    connection.health_check_done = False
    connection.close_if_health_check_failed()


def test_a_busy_connection_is_trusted(checks, monkeypatch):
    monkeypatch.setattr(base, "TRUSTED_SECONDS", 60.0)
    begin_request()
    begin_request()

    assert len(checks) <= 1


def test_an_idle_connection_is_asked_each_time(checks, monkeypatch):
    monkeypatch.setattr(base, "TRUSTED_SECONDS", 0.0)
    begin_request()
    begin_request()

    assert len(checks) == 2
