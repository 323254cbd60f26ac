"""Attributes in the dashboard: what metadata may have, and what came in that nobody defined."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from promoengine.core.admin_attribute_forms import (
    AttributeForm,
    SchemaForm,
    definition_in_words,
    example_in_words,
    kind_seen,
)
from promoengine.core.admin_project import ProjectModelAdmin, current_project
from promoengine.core.errors import DomainError
from promoengine.core.models import MetadataSchema, Project, SeenAttribute
from promoengine.core.services.metadata_schemas import (
    define_attribute,
    delete_schema,
    name_schema,
    set_defined_only,
)
from promoengine.core.services.seen_attributes import forget_attribute

OBJECT, EVENT = MetadataSchema.Kind.OBJECT, MetadataSchema.Kind.EVENT
RESOURCES = {
    "customer": gettext_lazy("Customers"),
    "order": gettext_lazy("Orders"),
    "order_item": gettext_lazy("Order lines"),
    "product": gettext_lazy("Products and SKUs"),
    "voucher": gettext_lazy("Codes and their campaigns"),
    "campaign": gettext_lazy("Promotions and other campaigns"),
    "promotion_tier": gettext_lazy("Promotion tiers"),
    "publication": gettext_lazy("Publications"),
    "redemption": gettext_lazy("Redemptions"),
}
SHOWN = 200
Page = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Topic:
    """What the attributes of a page are of: one kind of object, a nested object, or a custom event."""

    kind: MetadataSchema.Kind
    name: str

    @classmethod
    def of(cls, text: str) -> "Topic":
        """Read it as links and seen attributes spell it: events as in `event:review`."""
        if text.startswith("event:"):
            return cls(EVENT, text.removeprefix("event:"))
        return cls(OBJECT, text or next(iter(RESOURCES)))

    def __str__(self) -> str:
        return f"event:{self.name}" if self.kind == EVENT else self.name

    @property
    def title(self) -> str:
        return str(RESOURCES.get(self.name, self.name)) if self.kind == OBJECT else self.name

    @property
    def url(self) -> str:
        return f"{reverse('admin:core_metadataschema_changelist')}?{urlencode({'of': str(self)})}"


@dataclass(frozen=True, slots=True)
class Attribute:
    """A row of the page: a definition in words, and how often it has come in."""

    name: str
    said: str
    is_required: bool
    seen: SeenAttribute | None


def changing(page: Page) -> Page:
    """Let a page be posted to by those who may change schemas, and turn a refusal into a message."""

    @wraps(page)
    def guarded(self: "AttributesAdmin", request: HttpRequest) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_change_permission(request):
            raise PermissionDenied
        topic = Topic.of(request.POST.get("of", ""))
        try:
            return page(self, request, current_project(request), topic) or HttpResponseRedirect(topic.url)
        except DomainError as refusal:
            self.message_user(request, str(refusal), messages.ERROR)
            return HttpResponseRedirect(topic.url)

    return guarded


@admin.register(MetadataSchema)
class AttributesAdmin(ProjectModelAdmin):
    """One page for each kind of object and event, and one form for an attribute."""

    def get_urls(self) -> list[Any]:
        pages = [
            ("attribute/", self.attribute, "core_attribute"),
            ("remove/", self.remove, "core_attribute_remove"),
            ("forget/", self.forget, "core_attribute_forget"),
            ("strict/", self.strict, "core_attributes_strict"),
            ("new/", self.new, "core_attributes_new"),
            ("clear/", self.clear, "core_attributes_clear"),
        ]
        return [
            *(path(route, self.admin_site.admin_view(page), name=name) for route, page, name in pages),
            path("", self.admin_site.admin_view(self.changelist_view), name="core_metadataschema_changelist"),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the attributes of what was chosen: those defined, those removed, those only seen."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        project, topic = current_project(request), Topic.of(request.GET.get("of", ""))
        schemas = list(MetadataSchema.objects.filter(project=project).order_by("name"))
        schema = next((one for one in schemas if (one.kind, one.name) == (topic.kind, topic.name)), None)
        rows = SeenAttribute.objects.filter(project=project, resource=str(topic)).order_by("-last_seen_at")
        seen = {row.name: row for row in rows[:SHOWN]}
        stored = schema.properties if schema else {}
        defined = {name: found for name, found in stored.items() if not found.get("deleted")}
        context = admin.site.each_context(request) | {
            "title": _("Attributes"),
            "topic": topic,
            "groups": _groups(project, schemas, topic),
            "schema": schema,
            "attributes": [
                Attribute(name, definition_in_words(found), not found.get("optional", True), seen.get(name))
                for name, found in defined.items()
            ],
            "removed": [name for name in stored if name not in defined],
            "unknown": [
                (row, kind_seen(row), example_in_words(row))
                for name, row in seen.items()
                if name not in stored
            ],
            "new_form": SchemaForm(),
            "may_change": self.has_change_permission(request),
            "is_event": topic.kind == EVENT,
            "is_standard": topic.kind == OBJECT and topic.name in RESOURCES,
        }
        return render(request, "dashboard/attributes.html", context)

    def attribute(self, request: HttpRequest) -> HttpResponse:
        """Show the form of an attribute, and define what it says."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        project = current_project(request)
        asked = request.POST if request.method == "POST" else request.GET
        topic, name = Topic.of(asked.get("of", "")), asked.get("attribute", "")
        rows = MetadataSchema.objects.filter(project=project)
        stored = rows.filter(kind=topic.kind, name=topic.name).values_list("properties", flat=True).first()
        before = (stored or {}).get(name)
        nested = rows.filter(kind=OBJECT).exclude(name__in=[*RESOURCES, topic.name])
        form = AttributeForm(
            request.POST if request.method == "POST" else None,
            of_event=topic.kind == EVENT,
            nested=list(nested.order_by("name").values_list("name", flat=True)),
            before=before,
            name=name,
            seen=SeenAttribute.objects.filter(project=project, resource=str(topic), name=name).first(),
        )
        if request.method == "POST" and form.is_valid() and self._defined(request, project, topic, form):
            return HttpResponseRedirect(topic.url)
        context = admin.site.each_context(request) | {
            "title": _("Attribute of %(what)s") % {"what": topic.title},
            "topic": topic,
            "form": form,
            "attribute": name if before else "",
        }
        return render(request, "dashboard/attribute.html", context)

    def _defined(self, request: HttpRequest, project: Project, topic: Topic, form: AttributeForm) -> bool:
        name = form.cleaned_data["name"]
        try:
            define_attribute(
                project,
                topic.name,
                name,
                definition=form.to_definition(),
                kind=topic.kind,
                now=timezone.now(),
            )
        except DomainError as refusal:
            form.add_error(None, str(refusal))
            return False
        self.message_user(request, _("%(name)s is defined.") % {"name": name})
        return True

    @changing
    def remove(self, request: HttpRequest, project: Project, topic: Topic) -> None:
        """Take an attribute out of the schema, or bring one back that was taken out."""
        schema = MetadataSchema.objects.filter(project=project, kind=topic.kind, name=topic.name).first()
        name = request.POST.get("attribute", "")
        if schema is None or name not in schema.properties:
            return
        definition = {word: value for word, value in schema.properties[name].items() if word != "deleted"}
        if "restore" not in request.POST:
            definition["deleted"] = True
        define_attribute(
            project, topic.name, name, definition=definition, kind=topic.kind, now=timezone.now()
        )

    @changing
    def forget(self, request: HttpRequest, project: Project, topic: Topic) -> None:
        """Take an attribute off the list of those that came in."""
        forget_attribute(project, str(topic), request.POST.get("attribute", ""))

    @changing
    def strict(self, request: HttpRequest, project: Project, topic: Topic) -> None:
        """Refuse attributes that are not defined, or keep them again."""
        set_defined_only(project, topic.name, defined_only="on" in request.POST, now=timezone.now())

    @changing
    def new(self, request: HttpRequest, project: Project, topic: Topic) -> HttpResponse | None:
        """Begin the schema of a custom event, or of an object to be nested in others."""
        form = SchemaForm(request.POST)
        if not form.is_valid():
            self.message_user(request, _("Write its name."), messages.ERROR)
            return None
        made = Topic(MetadataSchema.Kind(form.cleaned_data["kind"]), form.cleaned_data["name"])
        name_schema(project, made.kind, made.name, now=timezone.now())
        return HttpResponseRedirect(made.url)

    @changing
    def clear(self, request: HttpRequest, project: Project, topic: Topic) -> HttpResponse | None:
        """Delete a schema with all its definitions; the metadata that objects have stay."""
        schema = MetadataSchema.objects.filter(project=project, kind=topic.kind, name=topic.name).first()
        if schema is None:
            return None
        delete_schema(project, topic.kind, schema.public_id)
        self.message_user(request, _("The definitions of %(what)s are deleted.") % {"what": topic.title})
        return None if topic.name in RESOURCES else HttpResponseRedirect(Topic.of("").url)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False


def _groups(project: Project, schemas: list[MetadataSchema], topic: Topic) -> list[tuple[str, list[Any]]]:
    """Return links to all there is to define attributes of, each with how many it has and if it is shown."""
    counts = {
        (schema.kind, schema.name): sum(not one.get("deleted") for one in schema.properties.values())
        for schema in schemas
    }
    resources = SeenAttribute.objects.filter(project=project).values_list("resource", flat=True).distinct()
    seen = {Topic.of(resource) for resource in resources[:SHOWN]}
    known = {Topic(MetadataSchema.Kind(schema.kind), schema.name) for schema in schemas} | seen | {topic}
    standard = [Topic(OBJECT, name) for name in RESOURCES]
    events = sorted((one for one in known if one.kind == EVENT), key=str)
    nested = sorted((one for one in known if one.kind == OBJECT and one not in standard), key=str)
    titles = (_("Objects"), _("Custom events"), _("Nested in others"))
    return [
        (title, [(one, counts.get((one.kind, one.name), 0), one == topic) for one in topics])
        for title, topics in zip(titles, (standard, events, nested), strict=True)
        if topics
    ]
