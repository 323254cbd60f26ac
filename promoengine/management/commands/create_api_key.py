import json
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand, CommandParser

from promoengine.core.api.auth import HEADERS
from promoengine.core.models import ApiKey, Project
from promoengine.core.services.api_keys import create_api_key


class Command(BaseCommand):
    help = "Make an API key; its secret is shown now and never again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--project", required=True, help="Key of the project, as in demo.")
        parser.add_argument("--name", required=True, help="What the key is for.")
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")
        kinds = parser.add_mutually_exclusive_group()
        kinds.add_argument("--client", action="store_true", help="For browsers and apps.")
        kinds.add_argument("--management", action="store_true", help="For the management API.")

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(key=options["project"], deleted_at=None).first()
        if project is None:
            known = (
                ", ".join(
                    Project.objects.filter(deleted_at=None).order_by("key").values_list("key", flat=True)
                )
                or "none yet"
            )
            raise CommandError(f"No project has the key {options['project']!r}; there are: {known}")
        made = create_api_key(project, name=options["name"][:200], kind=self.kind(options))
        if options["json"]:
            self.stdout.write(json.dumps({"app_id": str(made.key.app_id), "app_token": made.token}))
            return
        id_header, token_header = HEADERS[ApiKey.Kind(made.key.kind)]
        self.stdout.write(f"{id_header}: {made.key.app_id}\n{token_header}: {made.token}")

    def kind(self, options: dict[str, Any]) -> ApiKey.Kind:
        if options["client"]:
            return ApiKey.Kind.CLIENT
        return ApiKey.Kind.MANAGEMENT if options["management"] else ApiKey.Kind.SERVER
