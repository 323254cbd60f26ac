"""How often a project's definitions have changed; versions themselves come from one sequence."""

from django.db import connection

from promoengine.core.models import Project
from promoengine.core.services.definitions import current_version


def last_version() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM core_definitions_version")
        return cursor.fetchone()[0]


def growths(project: Project) -> int:
    """Return how often the definitions of the test's only project that changes any have grown."""
    version = current_version(project)
    return version - project.first_version if version else 0
