"""Background work: it is done once, watched while it runs, and goes on after its worker died."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from promoengine.core.action_types import ACTION_TYPES
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import AsyncAction, UploadedFile
from promoengine.core.services import async_actions
from promoengine.core.services.async_actions import (
    advance,
    resume_async_actions,
    run_async_action,
    start_async_action,
)
from promoengine.core.services.reports import Reported, report_rows
from promoengine.core.services.uploads import keep_file

STEPS: list[int] = []


def count_to_three(action):
    for number in range(action.done_count, 3):
        STEPS.append(number)
        advance(action, done=1)
        if number == action.params.get("dies_after"):
            action.params["dies_after"] = None
            action.save()
            raise KeyboardInterrupt


def refuse(action):
    raise InvalidPayload("the file is empty")


@pytest.fixture
def started(project):
    STEPS.clear()

    def start(job="count_to_three", *, is_stoppable=False, **params):
        name, now = f"tests.core.test_async_actions.{job}", timezone.now()
        return start_async_action(
            project, "TEST", job=name, params=params, total_count=3, is_stoppable=is_stoppable, now=now
        )

    return start


def test_an_action_runs_and_says_so(api, started):
    action = started()

    run_async_action(action.pk)

    answer = api.get(f"/v1/async-actions/{action.public_id}").json()
    assert (answer["status"], answer["operation_status"], answer["progress"]) == ("DONE", "SUCCESS", 100)
    assert answer["result"]["done_count"] == 3


def test_a_second_run_does_nothing(started):
    action = started()
    run_async_action(action.pk)

    run_async_action(action.pk)

    assert STEPS == [0, 1, 2]


def test_a_killed_worker_is_followed_by_one_that_goes_on(started):
    action = started(dies_after=1)
    with pytest.raises(KeyboardInterrupt):
        run_async_action(action.pk)

    run_async_action(action.pk)

    action.refresh_from_db()
    assert STEPS == [0, 1, 2]
    assert (action.status, action.done_count) == ("DONE", 3)


def test_a_refusal_fails_the_action_with_its_reason(api, started):
    action = started("refuse")

    run_async_action(action.pk)

    answer = api.get(f"/v1/async-actions/{action.public_id}").json()
    assert (answer["operation_status"], answer["result"]["message"]) == ("FAILED", "the file is empty")


def test_silent_actions_are_queued_again_and_given_up_in_the_end(started):
    waiting, hopeless = started(), started()
    long_ago = datetime.now(UTC) - timedelta(minutes=1)
    AsyncAction.objects.update(updated_at=long_ago, status="IN_PROGRESS")
    AsyncAction.objects.filter(pk=hopeless.pk).update(attempts=10)

    count = resume_async_actions(now=datetime.now(UTC))

    hopeless.refresh_from_db()
    assert (count, hopeless.status) == (1, "FAILED")
    assert AsyncAction.objects.get(pk=waiting.pk).status == "IN_PROGRESS"


def read_the_file(action):
    assert UploadedFile.objects.get(pk=action.params["file"]).name == "codes.csv"


def test_a_worker_killed_between_the_last_row_and_the_end_leaves_the_file(project, started, monkeypatch):
    file = keep_file(project, name="codes.csv", chunks=[b"Code"], now=datetime.now(UTC))
    action, finish = started("read_the_file", file=str(file.pk)), async_actions._finish

    def die(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(async_actions, "_finish", die)
    with pytest.raises(KeyboardInterrupt):
        run_async_action(action.pk)
    monkeypatch.setattr(async_actions, "_finish", finish)
    run_async_action(action.pk)

    action.refresh_from_db()
    assert (action.status, UploadedFile.objects.count()) == ("DONE", 0)


def test_work_is_paused_gone_on_with_and_canceled_over_rest(api, started):
    action, heard = started(is_stoppable=True), []

    for ask in ("pause", "resume", "cancel"):
        assert api.post(f"/v1/async-actions/{action.public_id}/{ask}").json()["id"] == action.public_id
        action.refresh_from_db()
        heard.append(action.stop)

    assert heard == ["PAUSE", "", "CANCEL"]


@pytest.mark.parametrize("ask", ["pause", "resume", "cancel", "undo"])
def test_what_can_not_be_asked_of_work_is_refused_over_rest(api, started, ask):
    action = started()

    assert api.post(f"/v1/async-actions/{action.public_id}/{ask}").status_code == 400
    assert api.post(f"/v1/async-actions/aa_nothing/{ask}").json()["resource_type"] == "async_action"


def test_the_report_of_work_is_read_over_rest(api, started):
    action = started("refuse")
    report_rows(action, [Reported(2, "A", "is taken"), Reported(3, "=B", "is taken")])

    answer = api.get(f"/v1/async-actions/{action.public_id}/report")

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert b"".join(answer.streaming_content).decode().splitlines() == [
        "Row,Code,Reason",
        "2,A,is taken",
        "3,'=B,is taken",
    ]


def test_all_work_has_words(settings):
    rooms = ("promoengine", "campaigns", "customers", "vouchers", "redemptions", "notifications")
    sources = [path for room in rooms for path in (settings.BASE_DIR / room).glob("**/services/*.py")]
    started = {
        name
        for source in sources
        for name in re.findall(r'"([A-Z]+\.[A-Z_]+)"', source.read_text(encoding="utf-8"))
    }

    assert len(started) > 15
    assert started <= ACTION_TYPES.keys()
