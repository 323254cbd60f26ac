import threading
import time
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from django.utils import timezone

from campaigns.selectors import campaign_by_ref
from promoengine.core.errors import DomainError
from promoengine.core.models import AsyncAction, Project
from promoengine.core.services.async_actions import NOT_ENDED, run_async_action
from vouchers.services.generate import start_generation

BAR = 40
SECONDS_BETWEEN = 0.5


class Command(BaseCommand):
    help = "Make codes for a campaign, with a bar that shows how far it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign", help="Name or id of the campaign.")
        parser.add_argument("count", type=int, help="How many codes to make.")
        parser.add_argument("--project", default="demo", help="Key of the project, as in demo.")

    def handle(self, *args: Any, **options: Any) -> None:
        action = self.start(options)
        try:
            self.watch(action)
        except KeyboardInterrupt:
            self.stderr.write("\nA worker goes on with it; the dashboard's background work can cancel it.")
            raise
        if action.status != AsyncAction.Status.DONE:
            raise CommandError(action.message)
        self.stdout.write(self.style.SUCCESS(action.message))

    def start(self, options: dict[str, Any]) -> AsyncAction:
        project = Project.objects.filter(key=options["project"]).first()
        if project is None:
            raise CommandError(f"No project has the key {options['project']!r}")
        if options["count"] < 1:
            raise CommandError("Make at least one code")
        try:
            campaign = campaign_by_ref(project, options["campaign"])
            return start_generation(project, campaign=campaign, count=options["count"], now=timezone.now())
        except DomainError as refusal:
            raise CommandError(refusal.details) from refusal

    def watch(self, action: AsyncAction) -> None:
        """Do the work, unless a worker is at it already, and draw how far it is until it has ended."""
        work = threading.Thread(target=work_alone, args=[action], daemon=True)
        work.start()
        while action.status in NOT_ENDED:
            time.sleep(SECONDS_BETWEEN)
            action.refresh_from_db()
            self.draw(action)
        work.join()
        self.stdout.write("")

    def draw(self, action: AsyncAction) -> None:
        filled = BAR * action.progress // 100
        bar = "#" * filled + "." * (BAR - filled)
        text = f"\r[{bar}] {action.progress:3} %  {action.done_count:,} of {action.total_count:,}"
        self.stdout.write(text, ending="")
        self.stdout.flush()


def work_alone(action: AsyncAction) -> None:
    """Do an action's work with a connection of its own."""
    try:
        run_async_action(action.pk)
    finally:
        connection.close()
