from django.apps import AppConfig
from django.db.models import Field

from promoengine.core.lookups import AnyOf


class CoreConfig(AppConfig):
    name = "promoengine.core"
    label = "core"
    verbose_name = "Project"

    def ready(self) -> None:
        Field.register_lookup(AnyOf)
