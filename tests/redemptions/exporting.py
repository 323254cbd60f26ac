"""Exports made over REST, and their files read by the link that is answered."""

import csv
import io
import json

import openpyxl
from django.test import Client

from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import run_async_action
from redemptions.export_formats import Format


def work(project):
    for action in AsyncAction.objects.filter(project=project, finished_at=None).order_by("pk"):
        run_async_action(action.pk)


def export(api, exported_object, **parameters):
    """Return the finished export of some rows, as the API shows it."""
    made = api.post("/v1/exports", {"exported_object": exported_object, "parameters": parameters})
    assert made.status_code == 200, made.json()
    assert (made.json()["status"], made.json()["result"]) == ("SCHEDULED", None)
    work(api.project)
    return api.get(f"/v1/exports/{made.json()['id']}").json()


def path_of(done):
    return done["result"]["url"].partition("testserver")[2]


def lines(done):
    """Return the lines of a finished export's file, read without any key."""
    answer = Client().get(path_of(done))
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))


def workbook(done):
    """Return the workbook of a finished export."""
    answer = Client().get(path_of(done))
    assert answer["Content-Type"] == Format.XLSX.content_type
    return openpyxl.load_workbook(io.BytesIO(b"".join(answer.streaming_content)))


def sheet_rows(done):
    return list(workbook(done).active.values)


def json_lines(done):
    answer = Client().get(path_of(done))
    assert answer["Content-Type"].startswith("application/jsonl")
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
