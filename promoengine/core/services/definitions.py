"""The version of a project's definitions: campaigns, promotions, rules, stacking rules, catalogue.

Who changes one grows the version in the same transaction; who decided by them checks, before using anything
up, that the version is still the one decided by. A change waits for the checkouts under way and is waited for
by those that come after it, so that no redemption slips through between a rule and its counting.
"""

from dataclasses import dataclass

from django.db import connection

from promoengine.core.models import Project

GROW = f"""
    WITH old AS (SELECT definitions_version FROM {Project._meta.db_table} WHERE id = %s)
    UPDATE {Project._meta.db_table} SET definitions_version = nextval('core_definitions_version')
    WHERE id = %s
    RETURNING (SELECT definitions_version FROM old), definitions_version
"""


@dataclass(frozen=True, slots=True)
class Growth:
    """The version of definitions before a change, and the one the change made."""

    before: int
    after: int


def definitions_changed(project: Project) -> Growth:
    """Grow the version of the project's definitions, in the caller's transaction, once checkouts let go.

    Processes keep what they read by its version, so one that was given up with its transaction is never given
    again: versions come from a sequence, which knows no rollback.
    """
    hold_off_checkouts(project)
    with connection.cursor() as cursor:
        cursor.execute(GROW, [project.pk, project.pk])
        return Growth(*cursor.fetchone())


def share_definitions(project: Project) -> int:
    """Hold off changes until the caller's transaction ends, and return the version in force."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [definitions_lock(project)])
        # A statement of its own: it sees what was committed while the lock was waited for.
        cursor.execute(
            f"SELECT definitions_version FROM {Project._meta.db_table} WHERE id = %s", [project.pk]
        )
        version: int = cursor.fetchone()[0]
    return version


def current_version(project: Project) -> int:
    """Return the version as it is at this moment, not as it was when the caller's key was read."""
    return Project.objects.values_list("definitions_version", flat=True).get(pk=project.pk)


def hold_off_checkouts(project: Project) -> None:
    """Wait for the project's checkouts under way, and keep others waiting until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [definitions_lock(project)])


def definitions_lock(project: Project) -> int:
    """Return the number of the advisory lock that guards a project's definitions."""
    return (project.pk.int & 0x7FFF_FFFF_FFFF_FFFF) ^ 0x4445_4653
