"""Answers about background work: published where it is watched, described where it is stopped and undone."""

import csv
import io

import pytest
from django.utils import timezone

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import checkpoint, run_async_action, start_async_action
from promoengine.core.services.reports import Reported, report_rows
from tests.contract.published import published

ASKS = ["pause", "resume", "cancel", "undo"]


def work_by_steps(action):
    checkpoint(action)


def take_back(action):
    """Takes back what nothing did."""


@pytest.fixture
def started(project):
    def start(**more):
        return start_async_action(
            project,
            "VOUCHERS.BULK_UPDATE",
            job=f"{__name__}.work_by_steps",
            params={},
            total_count=3,
            now=timezone.now(),
            **more,
        )

    return start


def watched(ours, path):
    """Return the action as the published endpoint has it, held against the published contract."""
    data = ours.call("get", path)
    assert published().problems("get", path, 200, data) == []
    return data


def test_work_that_is_stopped_and_undone(ours, started):
    action = started(is_stoppable=True, undo_job=f"{__name__}.take_back")
    path = f"/v1/async-actions/{action.public_id}"

    paused = ours.call("post", f"{path}/pause")
    run_async_action(action.pk)
    resumed = ours.call("post", f"{path}/resume")
    canceled = ours.call("post", f"{path}/cancel")
    assert [one["status"] for one in (paused, resumed, canceled)] == ["ENQUEUED"] * 3
    assert [one["result"] for one in (paused, resumed, canceled)] == [None] * 3
    run_async_action(action.pk)

    ended = watched(ours, path)
    assert (ended["status"], ended["operation_status"], ended["progress"]) == ("FAILED", "FAILED", 0)
    assert ended["result"] == {
        "message": "Canceled after 0",
        "done_count": 0,
        "failed_count": 0,
        "failed": [],
    }
    undoing = ours.call("post", f"{path}/undo", status=202)
    taking_back = ours.call("get", f"/v1/async-actions/{undoing['async_action_id']}")
    assert taking_back["type"] == "VOUCHERS.BULK_UPDATE_UNDO"
    listed = ours.call("get", "/v1/async-actions")["async_actions"]
    assert [one["id"] for one in listed] == [undoing["async_action_id"], action.public_id]


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("more", [{}, {"is_stoppable": True, "undo_job": f"{__name__}.take_back"}])
def test_what_can_not_be_asked_of_work(ours, started, ask, more):
    action = started(**more)
    if ask != "undo":
        run_async_action(action.pk)
    path = f"/v1/async-actions/{action.public_id}"
    before = ours.call("get", path)

    ours.refused(
        "post",
        f"{path}/{ask}",
        status=400,
        key="async_action_not_undoable" if ask == "undo" else "async_action_not_stoppable",
    )

    assert (ours.call("get", path), AsyncAction.objects.count()) == (before, 1)


def test_work_is_undone_once_and_paused_work_is_no_work_to_pause_again_once_canceled(ours, started):
    action = started(is_stoppable=True, undo_job=f"{__name__}.take_back")
    path = f"/v1/async-actions/{action.public_id}"

    ours.call("post", f"{path}/pause")
    ours.call("post", f"{path}/pause")
    ours.call("post", f"{path}/cancel")
    ours.refused("post", f"{path}/pause", status=400, key="async_action_not_stoppable")
    ours.refused("post", f"{path}/resume", status=400, key="async_action_not_stoppable")
    run_async_action(action.pk)
    ours.call("post", f"{path}/undo", status=202)
    ours.refused("post", f"{path}/undo", status=400, key="async_action_not_undoable")


def test_the_report_is_all_rows_that_could_not_be_done(ours, api, started):
    action = started()
    report_rows(action, [Reported(3, '=1+1"', "was taken,\ntwice"), Reported(2, "Ä", "is taken")])

    answer = api.get(f"/v1/async-actions/{action.public_id}/report")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Content-Disposition"] == f'attachment; filename="report-{action.public_id}.csv"'
    read = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode(), newline=""))
    assert list(read) == [
        ["Row", "Code", "Reason"],
        ["2", "Ä", "is taken"],
        ["3", "'=1+1\"", "was taken,\ntwice"],
    ]


def test_a_report_of_nothing_has_its_head_alone(api, started):
    answer = api.get(f"/v1/async-actions/{started().public_id}/report")

    assert b"".join(answer.streaming_content) == b"Row,Code,Reason\r\n"


def test_the_first_rows_that_could_not_be_done_are_in_the_answer(ours, started):
    action = started()
    run_async_action(action.pk)
    rows = [{"row": 2, "code": "A", "reason": "is taken"}, {"source_id": "ann", "reason": "is unknown"}]
    AsyncAction.objects.filter(pk=action.pk).update(failed=rows, failed_count=2)

    done = watched(ours, f"/v1/async-actions/{action.public_id}")

    assert (done["result"]["failed"], done["result"]["failed_count"]) == (rows, 2)


@pytest.mark.parametrize("ask", ["", "/report", *(f"/{ask}" for ask in ASKS)])
def test_work_that_nobody_has_is_not_found(ours, started, ask):
    action = started()
    method = "get" if ask in ("", "/report") else "post"

    for unknown in ("aa_nothing", action.public_id + "x", "vc_" + action.public_id[3:]):
        ours.refused(method, f"/v1/async-actions/{unknown}{ask}", status=404, key="not_found")
    if ask:
        wrong = "post" if method == "get" else "get"
        path = f"/v1/async-actions/{action.public_id}{ask}"
        ours.refused(wrong, path, status=405, key="method_not_allowed")
