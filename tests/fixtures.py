"""Fixtures that every room's tests share: two projects, a server key of each, and a marketer."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.definitions import forget_definitions
from campaigns.facts import forget_goods
from promoengine.core.models import ApiKey, Project
from promoengine.core.services import api_keys
from tests.api import Api
from tests.factories import ProjectFactory
from tests.versions import last_version


@pytest.fixture(autouse=True)
def _forget_what_processes_keep():
    api_keys._known.clear()
    forget_definitions()
    forget_goods()


@pytest.fixture
def project(db) -> Project:
    made = ProjectFactory()
    made.first_version = last_version()
    return made


@pytest.fixture
def api(project) -> Api:
    return Api(project)


@pytest.fixture
def client_api(project) -> Api:
    return Api(project, ApiKey.Kind.CLIENT)


@pytest.fixture
def management(project) -> Api:
    return Api(project, ApiKey.Kind.MANAGEMENT)


@pytest.fixture
def other_api(db) -> Api:
    """Another project's server key."""
    return Api(ProjectFactory())


@pytest.fixture
def marketer(client, project) -> Client:
    """The browser of somebody who may do everything in the dashboard."""
    client.force_login(User.objects.create_superuser("marketer"))
    return client
