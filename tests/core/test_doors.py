"""Health, the API's description, the relay and the commands."""

import json
from datetime import UTC, datetime
from io import StringIO

import django_rq
import pytest
from django.core.management import CommandError, call_command

from promoengine.core.events import record_event
from promoengine.core.models import ApiKey, OutboxEvent
from promoengine.core.services.relay import Subscriber, relay_batch
from tests.api import Api
from tests.factories import ProjectFactory

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def test_a_ready_process_says_so(client, db):
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").json() == {"status": "ok", "problems": {}}


def test_the_api_is_described_without_warnings(db):
    call_command("spectacular", "--fail-on-warn", "--validate", stdout=StringIO())


def test_the_description_is_shown(client, db):
    assert client.get("/api/docs/").status_code == 200
    assert b"/v1/redemptions" in client.get("/api/schema/").content


def test_a_key_is_made_by_a_command(project):
    printed = StringIO()

    call_command("create_api_key", project=project.key, name="script", json=True, stdout=printed)

    made = json.loads(printed.getvalue())
    key = ApiKey.objects.get(project=project)
    assert (made["app_id"], key.kind) == (str(key.app_id), "server")
    assert key.token_hash != made["app_token"]


@pytest.mark.parametrize(("option", "kind"), [("client", "client"), ("management", "management")])
def test_keys_of_other_kinds(project, option, kind):
    call_command("create_api_key", project=project.key, name="x", stdout=StringIO(), **{option: True})

    assert ApiKey.objects.get().kind == kind


def test_an_unknown_project_is_answered_with_the_known(project):
    with pytest.raises(CommandError, match=project.key):
        call_command("create_api_key", project="nonsense", name="x")


def test_the_relay_hands_each_event_to_its_jobs_once(project):
    django_rq.get_queue("default").empty()
    for _ in range(3):
        record_event(project, "voucher.created", {}, now=NOW)
    record_event(project, "nobody.cares", {}, now=NOW)

    relayed = relay_batch({"voucher.created": [Subscriber("promoengine.core.jobs.sweep")]}, now=NOW)
    again = relay_batch({"voucher.created": [Subscriber("promoengine.core.jobs.sweep")]}, now=NOW)

    (job,) = django_rq.get_queue("default").jobs
    assert (relayed, again, len(job.kwargs["event_ids"])) == (4, 0, 3)
    assert not OutboxEvent.objects.filter(relayed_at=None).exists()


def test_the_demo_shop_can_be_made_again(db):
    call_command("demo", verbosity=0)
    call_command("demo", "--reset", verbosity=0)

    project = ProjectFactory._meta.model.objects.get(key="demo")
    answer = Api(project).get("/v1/redemptions", {"limit": 100}).json()
    assert answer["total"] > 500
    with pytest.raises(CommandError, match="already"):
        call_command("demo", verbosity=0)
