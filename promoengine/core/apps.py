from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "promoengine.core"
    label = "core"
    verbose_name = "Project"
