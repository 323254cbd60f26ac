from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from promoengine.core.models import Project
from redemptions.services.reconcile import differences, set_right


class Command(BaseCommand):
    help = "Compare codes' uses, gift balances and limits' counters with the ledgers; fails if any differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", help="Key of the project, as in demo; all of them if left out.")
        parser.add_argument("--fix", action="store_true", help="Let them say what the ledgers say.")

    def handle(self, *args: Any, **options: Any) -> None:
        projects = Project.objects.order_by("key")
        if options["project"]:
            projects = projects.filter(key=options["project"])
            if not projects:
                raise CommandError(f"No project has the key {options['project']!r}")
        left = sum(self.reconcile(project, fix=options["fix"]) for project in projects)
        if left:
            raise CommandError(f"{left} differ from the ledgers")
        self.stdout.write("Everything agrees with the ledgers")

    def reconcile(self, project: Project, *, fix: bool) -> int:
        """Report a project's differences and return how many are left."""
        left = 0
        for difference in differences(project):
            is_right = fix and set_right(project, difference)
            left += not is_right
            self.stdout.write(f"{project.key}: {difference}{' (set right)' if is_right else ''}")
        return left
