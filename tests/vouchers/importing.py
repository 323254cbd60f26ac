"""Imports of tables of codes, started and run as a worker does."""

from django.db import connection
from django.utils import timezone

from promoengine.core.models import ReportedRow
from promoengine.core.services.async_actions import run_async_action
from promoengine.core.services.uploads import keep_file
from vouchers.import_plans import ImportPlan, guess
from vouchers.services.import_codes import start_code_import
from vouchers.services.staging import PREFIX


def start(project, content, **plan):
    """Start the import of a table; its columns are what their names say."""
    content = content if isinstance(content, bytes) else content.encode()
    header = content.decode("utf-8-sig", "replace").partition("\n")[0].strip().split(",")
    plan.setdefault("mapping", guess(header))
    if "campaign" in plan:
        plan["campaign"] = str(plan["campaign"].pk)
    now = timezone.now()
    file = keep_file(project, name="codes.csv", chunks=[content], now=now)
    return start_code_import(project, file=file, plan=ImportPlan(**plan), now=now)


def run(project, content, **plan):
    action = start(project, content, **plan)
    run_async_action(action.pk)
    action.refresh_from_db()
    return action


def reasons(action):
    return {row.row: row.reason for row in ReportedRow.objects.filter(action=action)}


def counts(action):
    return action.status, action.done_count, action.skipped_count, action.failed_count


def staging_tables():
    return [name for name in connection.introspection.table_names() if name.startswith(PREFIX)]
