"""Importing codes from a table: upload it, say what its columns are, look, and start."""

import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminRadioSelectWidget, UnfoldAdminSelectWidget

from campaigns.models import Campaign
from promoengine.core.admin_project import current_project
from promoengine.core.errors import DomainError
from promoengine.core.ids import parse_key
from promoengine.core.models import AsyncAction, Project, UploadedFile
from promoengine.core.row_imports import CHECK, GOOD, LEFT_OUT, METADATA
from promoengine.core.services.uploads import keep_file
from vouchers.admin.forms import BATCH_FIELDS, BatchFields
from vouchers.import_plans import ALL, FIELDS, ImportPlan, guess, plan_of
from vouchers.models import Voucher
from vouchers.services.batches import NO_TERMS, terms_of
from vouchers.services.import_codes import start_code_import
from vouchers.services.import_preview import Column, columns_of, try_first_rows
from vouchers.services.import_sources import CHECKED_FILE, FILE

CHANNEL = "USER_PORTAL"
FILE_MAX = 300 * 1024 * 1024
CAMPAIGNS_SHOWN = 500
MODES = [
    (CHECK, _("Only check all rows: nothing is changed")),
    (ALL, _("Import all rows, or none if one of them is bad")),
    (GOOD, _("Import the good rows, and report the bad ones")),
]
MEANINGS = [
    (METADATA, _("Attribute of that name")),
    (LEFT_OUT, _("Leave out")),
    *((key, one.label) for key, one in FIELDS.items()),
]


class UploadForm(forms.Form):
    """The table, and what its codes are of."""

    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or XLSX, with a first line that names the columns; up to two million rows."),
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ".csv,.txt,.tsv,.xlsx"}),
    )
    campaign = forms.ChoiceField(label=_("The codes are of"), required=False, widget=UnfoldAdminSelectWidget)

    def __init__(self, project: Project, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Campaign.objects.filter(project=project).present()
        named = rows.exclude(campaign_type=Campaign.CampaignType.PROMOTION).order_by("-id")
        self.fields["campaign"].choices = [
            ("", _("No campaign, or the one that a column names")),
            *((str(key), name) for key, name in named.values_list("pk", "name")[:CAMPAIGNS_SHOWN]),
        ]

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > FILE_MAX:
            raise forms.ValidationError(_("A file may have up to 300 MB: part it."))
        return file


class MappingForm(BatchFields):
    """What each column is, what becomes of bad rows, and the batch that codes of a campaign become."""

    mode = forms.ChoiceField(
        label=_("What to do"),
        choices=MODES,
        initial=CHECK,
        widget=UnfoldAdminRadioSelectWidget(choices=MODES),
    )

    def __init__(self, columns: Sequence[Column], *args: Any, batch_name: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.columns = columns
        if batch_name is None:
            for name in BATCH_FIELDS:
                del self.fields[name]
        else:
            self.fields["batch_name"].help_text = _("Empty is “%(name)s”.") % {"name": batch_name}
        for place, column in enumerate(columns):
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=column.name, choices=MEANINGS, required=False, widget=UnfoldAdminSelectWidget
            )

    def rows(self) -> list[tuple[Column, Any]]:
        """Return the columns, each with the field that asks what it is."""
        return [(column, self[f"column-{place}"]) for place, column in enumerate(self.columns)]

    def of_batch(self) -> list[Any]:
        """Return the fields that are about the batch, none where there is no campaign to have one."""
        return [self[name] for name in BATCH_FIELDS if name in self.fields]

    def mapping(self) -> dict[str, str]:
        """Return what was chosen, by the name of the column."""
        return {
            column.name: self.cleaned_data.get(f"column-{place}", LEFT_OUT)
            for place, column in enumerate(self.columns)
        }


def urls() -> list[Any]:
    """Return the routes of the pages."""
    named = [
        ("import/", upload, "import"),
        ("import/again/<uuid:action_id>/", import_again, "import_again"),
        ("import/<uuid:file_id>/", map_columns, "import_file"),
        ("import/<uuid:file_id>/try/", try_mapping, "import_try"),
    ]
    return [
        path(place, admin.site.admin_view(view), name=f"vouchers_voucher_{name}")
        for place, view, name in named
    ]


def upload(request: HttpRequest) -> HttpResponse:
    """Take the file, and go on to its columns."""
    project = _project(request)
    given = (request.POST, request.FILES) if request.method == "POST" else ()
    form = UploadForm(project, *given, initial={"campaign": request.GET.get("campaign", "")})
    if request.method == "POST" and form.is_valid():
        sent = form.cleaned_data["file"]
        file = keep_file(project, name=sent.name, chunks=sent.chunks(), now=timezone.now())
        try:
            columns_of(file)
        except DomainError as refusal:
            file.delete()
            form.add_error("file", str(refusal))
        else:
            return HttpResponseRedirect(_file_url(file.pk, form.cleaned_data["campaign"]))
    return _page(request, "vouchers/import_upload.html", form=form)


def map_columns(request: HttpRequest, file_id: uuid.UUID) -> HttpResponse:
    """Ask what the columns are, show what would be wrong, and start the import."""
    project = _project(request)
    file = get_object_or_404(UploadedFile, project=project, pk=file_id)
    campaign, refusal = _campaign(request, project), ""
    form = _mapping_form(request, project, file, campaign)
    if request.method == "POST" and form.is_valid():
        try:
            plan = _plan(project, campaign, form)
            plan.mapping_for([column.name for column in form.columns])
            action = start_code_import(project, file=file, plan=plan, now=timezone.now())
            return HttpResponseRedirect(reverse("admin:core_asyncaction_change", args=[action.pk]))
        except DomainError as error:
            refusal = str(error)
    return _page(
        request,
        "vouchers/import_columns.html",
        form=form,
        file=file,
        campaign=campaign,
        refusal=refusal,
        try_url=f"{reverse('admin:vouchers_voucher_import_try', args=[file.pk])}?{request.GET.urlencode()}",
    )


def try_mapping(request: HttpRequest, file_id: uuid.UUID) -> HttpResponse:
    """Show what is wrong with the first rows, as the columns are chosen just now."""
    project = _project(request)
    file = get_object_or_404(UploadedFile, project=project, pk=file_id)
    campaign = _campaign(request, project)
    form, context = _mapping_form(request, project, file, campaign), {}
    if form.is_valid():
        try:
            plan = _plan(project, campaign, form)
            context = {"trial": try_first_rows(project, file=file, plan=plan)}
        except DomainError as refusal:
            context = {"refusal": str(refusal)}
    return render(request, "vouchers/import_trial.html", context)


def import_again(request: HttpRequest, action_id: uuid.UUID) -> HttpResponse:
    """Go back to the columns of a file that was checked, or of which nothing came in."""
    project = _project(request)
    action = get_object_or_404(AsyncAction, project=project, pk=action_id)
    file = action.params.get(CHECKED_FILE) or action.params.get(FILE)
    if not file or "plan" not in action.params:
        return HttpResponseRedirect(reverse("admin:vouchers_voucher_import"))
    if not UploadedFile.objects.filter(project=project, pk=file).exists():
        return HttpResponseRedirect(reverse("admin:vouchers_voucher_import"))
    return HttpResponseRedirect(_file_url(file, plan_of(action.params["plan"]).campaign, after=action.pk))


def _mapping_form(
    request: HttpRequest, project: Project, file: UploadedFile, campaign: Campaign | None
) -> MappingForm:
    columns = columns_of(file)
    mapping = guess([column.name for column in columns])
    mode, batch = CHECK, NO_TERMS
    if (after := request.GET.get("after")) and (done := _action(project, after)):
        plan = plan_of(done.params["plan"])
        mapping |= plan.mapping or {}
        batch = terms_of(plan.batch, name="", now=timezone.now())
        mode = ALL if plan.mode == CHECK and not done.failed_count else GOOD
    chosen = {f"column-{place}": mapping[column.name] for place, column in enumerate(columns)}
    said = {
        "mode": mode,
        "batch_name": batch.name,
        "locked_until": batch.locked_until,
        "one_per_person": batch.one_per_person,
    }
    return MappingForm(
        columns,
        request.POST or None,
        initial=said | chosen,
        batch_name=file.name if campaign else None,
    )


def _action(project: Project, key: str) -> AsyncAction | None:
    found = AsyncAction.objects.filter(project=project, pk=parse_key(key)).first()
    return found if found and "plan" in found.params else None


def _plan(project: Project, campaign: Campaign | None, form: MappingForm) -> ImportPlan:
    return ImportPlan(
        mode=form.cleaned_data["mode"],
        campaign=str(campaign.pk) if campaign else "",
        mapping=form.mapping(),
        zone=project.timezone,
        channel=CHANNEL,
        batch=form.batch_terms().to_params() if form.of_batch() else {},
    )


def _campaign(request: HttpRequest, project: Project) -> Campaign | None:
    key = request.GET.get("campaign", "")
    if not key:
        return None
    return get_object_or_404(Campaign.objects.present(), project=project, pk=parse_key(key))


def _file_url(file_id: Any, campaign: str, *, after: Any = None) -> str:
    query = "&".join([f"campaign={campaign}", *([f"after={after}"] if after else [])])
    return f"{reverse('admin:vouchers_voucher_import_file', args=[file_id])}?{query}"


def _project(request: HttpRequest) -> Project:
    if not request.user.has_perm("vouchers.add_voucher"):
        raise PermissionDenied
    return current_project(request)


def _page(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    context |= admin.site.each_context(request) | {"title": _("Import codes"), "opts": Voucher._meta}
    return render(request, template, context)
