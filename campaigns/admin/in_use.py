"""Saying on a page who names something, and why it can therefore not be deleted."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from campaigns.services.in_use import ResourceInUse, User
from promoengine.core.errors import DomainError


class KeptWhileInUse:
    """A page of things that rules, segments and collections name: they are deleted one by one, or refused."""

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Offer no deletion of several, so that each refusal is seen."""
        actions: dict[str, Any] = super().get_actions(request)  # type: ignore[misc]
        actions.pop("delete_selected", None)
        return actions

    def why_kept(self, refusal: DomainError) -> str:
        """Name who uses it, with the ways there."""
        if not isinstance(refusal, ResourceInUse):
            return str(refusal)
        return format_html(
            _("It is not deleted, because it is used in: {users}. Take it out there first."),
            users=pages_of(refusal.users),
        )


def pages_of(users: Iterable[User]) -> SafeString:
    """Return links to the pages of rules, segments and collections, called by their names."""
    pages = (
        (reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]), row)
        for row in users
    )
    return format_html_join(", ", '<a class="underline" href="{}">{}</a>', pages)
