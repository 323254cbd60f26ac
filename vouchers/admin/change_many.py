"""Changing many codes from their list: those that were picked, or all that match its filters."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminRadioSelectWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSplitDateTimeWidget,
    UnfoldAdminTextInputWidget,
)

from promoengine.core.admin_project import current_project
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from promoengine.core.pages import Total, total_of
from promoengine.core.prices import plain_number
from vouchers.admin.voucher_list import in_words, selection_of
from vouchers.models import Voucher
from vouchers.search import find_codes
from vouchers.selections import Selection
from vouchers.services.bulk_change import Change, start_bulk_change

CHANNEL = "USER_PORTAL"
KINDS = [
    ("disable", _("Disable them")),
    ("enable", _("Enable them")),
    ("extend", _("Change when they end")),
    ("set_metadata", _("Set an attribute")),
    ("delete", _("Delete them")),
]
VALUE_KINDS = [("text", _("Text")), ("number", _("Number")), ("boolean", _("Yes or no"))]
BOOLEANS = {"yes": True, "true": True, "no": False, "false": False}
SAMPLES = 10


@dataclass(frozen=True, slots=True)
class Meant:
    """How many codes are meant, and some of them; there may be others though none was found at once."""

    total: Total
    samples: list[str]
    may_be_more: bool


NONE_MEANT = Meant(Total(0), [], may_be_more=False)


class ChangeForm(forms.Form):
    """What is to happen to the codes."""

    kind = forms.ChoiceField(
        label=_("What to do"), choices=KINDS, widget=UnfoldAdminRadioSelectWidget(choices=KINDS)
    )
    until = forms.SplitDateTimeField(
        label=_("They end at"),
        required=False,
        help_text=_("Empty means never."),
        widget=UnfoldAdminSplitDateTimeWidget,
    )
    name = forms.CharField(
        label=_("Attribute"),
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
    )
    value = forms.CharField(
        label=_("Value"), required=False, max_length=2000, widget=UnfoldAdminTextInputWidget
    )
    value_kind = forms.ChoiceField(
        label=_("The value is"),
        choices=VALUE_KINDS,
        required=False,
        widget=UnfoldAdminSelectWidget(choices=VALUE_KINDS),
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("kind") != "set_metadata":
            return cleaned
        if not cleaned.get("name"):
            self.add_error("name", _("Name the attribute."))
        try:
            cleaned["value"] = _value(cleaned.get("value", ""), cleaned.get("value_kind", ""))
        except ValueError as error:
            self.add_error("value", str(error))
        return cleaned

    def to_change(self) -> Change:
        """Return what was filled in as the service takes it."""
        cleaned = self.cleaned_data
        kind: str = cleaned["kind"]
        until: datetime | None = cleaned["until"] if kind == "extend" else None
        metadata = {cleaned["name"]: cleaned["value"]} if kind == "set_metadata" else None
        return Change(kind, until=until, metadata=metadata)


def change_many(request: HttpRequest) -> HttpResponse:
    """Show which codes are meant and ask what to do with them; then start it and show how far it is."""
    if not request.user.has_perm("vouchers.change_voucher"):
        raise PermissionDenied
    project = current_project(request)
    try:
        selection = selection_of(request.GET)
        meant = _meant(project, selection)
    except DomainError as refusal:
        return _page(request, project, Selection(), NONE_MEANT, ChangeForm(), problem=refusal.details)
    asked = {"kind": request.GET.get("kind", "")}
    form = ChangeForm(request.POST if request.method == "POST" else None, initial=asked)
    problem = ""
    if request.method == "POST" and form.is_valid():
        change = form.to_change()
        if change.kind == "delete" and not request.user.has_perm("vouchers.delete_voucher"):
            raise PermissionDenied
        try:
            action = start_bulk_change(
                project, selection=selection, change=change, channel=CHANNEL, now=timezone.now()
            )
            return HttpResponseRedirect(reverse("admin:core_asyncaction_change", args=[action.pk]))
        except DomainError as refusal:
            problem = refusal.details
    return _page(request, project, selection, meant, form, problem=problem)


def _meant(project: Project, selection: Selection) -> Meant:
    """Return how many codes a selection has, and some of them.

    Raises:
        InvalidPayload: too many customers could be meant by its holder.
        QueryTooLarge: finding some took too long.
    """
    if selection.picked:
        rows = selection.rows(project)
        codes = list(rows.order_by("-pk").values_list("code", flat=True)[:SAMPLES])
        return Meant(total_of(rows), codes, may_be_more=False)
    found = find_codes(project, selection, limit=SAMPLES)
    return Meant(found.total, [row.code for row in found.rows], may_be_more=found.after is not None)


def _page(
    request: HttpRequest,
    project: Project,
    selection: Selection,
    meant: Meant,
    form: ChangeForm,
    *,
    problem: str,
) -> HttpResponse:
    context = admin.site.each_context(request) | {
        "title": _("Change many codes"),
        "opts": Voucher._meta,
        "form": form,
        "problem": problem,
        "total": meant.total,
        "samples": meant.samples,
        "may_be_more": meant.may_be_more,
        "said": in_words(project, selection) or ([_("All codes of the project")] if meant.samples else []),
    }
    return render(request, "vouchers/change_many.html", context)


def _value(text: str, kind: str) -> str | int | float | bool:
    if kind == "number":
        try:
            number = Decimal(text)
        except InvalidOperation as error:
            raise ValueError(_("This is no number.")) from error
        if not number.is_finite() or abs(number) > 10**15:
            raise ValueError(_("This is no number."))
        return plain_number(number)
    if kind == "boolean":
        if text.strip().lower() not in BOOLEANS:
            raise ValueError(_("Write yes or no."))
        return BOOLEANS[text.strip().lower()]
    return text
