from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from promoengine.core.models import Project
from promoengine.demo.shop import KEY, build_demo, delete_demo


class Command(BaseCommand):
    help = "Make the demo shop: a year of campaigns, codes, customers and redemptions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--reset", action="store_true", help="Delete the demo shop first, if there is one."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["reset"]:
            delete_demo()
        elif Project.objects.filter(key=KEY).exists():
            raise CommandError("The demo shop is there already; --reset makes it anew")
        project = build_demo(now=timezone.now())
        if options["verbosity"]:
            self.stdout.write(f"Made the demo shop {project.name}")
