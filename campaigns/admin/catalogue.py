"""Products, SKUs and collections in the dashboard."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from campaigns.admin.catalogue_forms import CollectionForm, GoodForm, ProductForm, SkuForm, filter_sentences
from campaigns.admin.in_use import KeptWhileInUse
from campaigns.catalogue_selectors import members_of, skus_by_product
from campaigns.models import Product, ProductCollection, Sku
from campaigns.sentences import money
from campaigns.services.product_collections import create_collection, delete_collection, update_collection
from campaigns.services.products import (
    delete_product,
    delete_sku,
    upsert_product,
    upsert_sku,
)
from customers.places import with_names
from promoengine.core.admin_attribute_fields import attribute_fieldset
from promoengine.core.admin_conditions import CONDITIONS, shown_if
from promoengine.core.admin_details import details_in_words
from promoengine.core.admin_project import ProjectModelAdmin, current_project, user_id

MEMBERS_SHOWN = 100


class CatalogueAdmin(ProjectModelAdmin):
    """What the pages of the catalogue share: forms that know the project, and honest deletion."""

    list_select_related = ["project"]
    ordering = ["-id"]

    def get_form(
        self, request: HttpRequest, obj: Model | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        kwargs["fields"] = self.form.Meta.fields
        made = super().get_form(request, obj, change=change, **kwargs)
        made.project = current_project(request)
        return made

    def typed_or_shown(self, request: HttpRequest, obj: Model | None) -> tuple[str, str]:
        """Return the fields of the price and the details: of the form, or for those who may only look."""
        may_save = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        return ("price_tag", "details") if may_save else ("price_shown", "details_shown")

    @display(description=_("Details (metadata)"))
    def details_shown(self, row: Product | Sku) -> str:
        return details_in_words(row.metadata)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Name only the rows themselves."""
        return [str(row) for row in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []


@admin.register(Product)
class ProductAdmin(CatalogueAdmin):
    deletion_says = _("It goes to the trash with its SKUs, and can be brought back from there.")
    nothing_yet = _(
        "Products are what rules and discounts can name. A shop sends them, or they are added here."
    )
    form = ProductForm
    list_display = ["name", "source_id", "price_shown", "created_at"]
    search_fields = ["name", "source_id"]
    search_help_text = _("Part of a name or of the shop's own id")
    readonly_fields = ["skus", "price_shown", "details_shown"]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        price, details = self.typed_or_shown(request, obj)
        fields = ["name", "source_id", price, "variants", "image_url"]
        attributes = attribute_fieldset(self, request, obj, "product")
        shown = [*fields, "skus", details] if obj else [*fields, details]
        return self.in_words(request, obj, [(None, {"fields": shown}), *attributes])

    def save_model(self, request: HttpRequest, obj: Product, form: GoodForm, change: bool) -> None:
        project, now = current_project(request), timezone.now()
        if change:
            # The service that takes a new source id too: the form lets one be set where there is none.
            upsert_product(
                project,
                data={"id": obj.public_id, **form.to_wire()},
                dropped=form.detail_changes.dropped,
                now=now,
            )
        else:
            obj.pk = upsert_product(project, data=form.to_wire(), now=now).pk

    def delete_model(self, request: HttpRequest, obj: Product) -> None:
        delete_product(
            current_project(request), obj.public_id, deleted_by=user_id(request), now=timezone.now()
        )

    @display(description=_("Price"), ordering="price")
    def price_shown(self, product: Product) -> str:
        return "" if product.price is None else money(product.price, product.project.currency)

    @display(description=_("SKUs"))
    def skus(self, product: Product) -> str:
        rows = skus_by_product([product])[product.pk][:MEMBERS_SHOWN]
        links = ((reverse("admin:campaigns_sku_change", args=[sku.pk]), sku) for sku in rows)
        return format_html_join(", ", '<a class="underline" href="{}">{}</a>', links)


@admin.register(Sku)
class SkuAdmin(CatalogueAdmin):
    deletion_says = _("It goes to the trash, and can be brought back from there.")
    nothing_yet = _("A SKU is one kind of a product, as the shirt in size M.")
    form = SkuForm
    list_display = ["sku", "product", "source_id", "price_shown", "created_at"]
    list_select_related = ["project", "product"]
    search_fields = ["sku", "source_id", "product__name"]
    search_help_text = _("Part of a name, of the shop's own id or of the product's name")
    autocomplete_fields = ["product"]

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        price, details = self.typed_or_shown(request, obj)
        fields = ["product", "sku", "source_id", price, "image_url"]
        own = attribute_fieldset(self, request, obj, "product")
        shown = [*fields, "attributes_shown", details] if obj else [*fields, details]
        return [(None, {"fields": shown}), *own]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[str]:
        return ["product", "attributes_shown", "price_shown", "details_shown"] if obj else []

    def save_model(self, request: HttpRequest, obj: Sku, form: GoodForm, change: bool) -> None:
        project, now, data = current_project(request), timezone.now(), form.to_wire()
        if change:
            data = {"id": obj.public_id, **data}
        dropped = form.detail_changes.dropped
        obj.pk = upsert_sku(project, obj.product.public_id, data=data, dropped=dropped, now=now).pk

    def delete_model(self, request: HttpRequest, obj: Sku) -> None:
        delete_sku(
            current_project(request),
            obj.product.public_id,
            obj.public_id,
            deleted_by=user_id(request),
            now=timezone.now(),
        )

    @display(description=_("What it differs in"))
    def attributes_shown(self, sku: Sku) -> str:
        return details_in_words(sku.attributes)

    @display(description=_("Price"), ordering="price")
    def price_shown(self, sku: Sku) -> str:
        price = sku.product.price if sku.price is None else sku.price
        return "" if price is None else money(price, sku.project.currency)


@admin.register(ProductCollection)
class ProductCollectionAdmin(KeptWhileInUse, CatalogueAdmin):
    nothing_yet = _(
        "A collection is a group of products, listed or found by conditions, which rules can name."
    )
    form = CollectionForm
    list_display = ["name", "type", "created_at"]
    search_fields = ["name"]
    search_help_text = _("Part of a name")
    readonly_fields = ["members", "asks"]
    conditional_fields = {"listed": "type == 'STATIC'", **shown_if("type == 'AUTO_UPDATE'", ["metadata"])}
    refused_fields = {"product": "listed", "sku": "listed"}

    def get_fieldsets(self, request: HttpRequest, obj: ProductCollection | None = None) -> list[Any]:
        if obj is None:
            return [(None, {"fields": ["name", "type", "listed", *CONDITIONS]})]
        if obj.type == ProductCollection.Type.STATIC:
            return [(None, {"fields": ["name", "type", "members"]})]
        form = self.get_form(request, obj, change=True)(instance=obj)
        may_change = form.is_editable and self.has_change_permission(request, obj)
        return [(None, {"fields": ["name", "type", *(CONDITIONS if may_change else ["asks"])]})]

    def save_model(
        self, request: HttpRequest, obj: ProductCollection, form: CollectionForm, change: bool
    ) -> None:
        project, now, data = current_project(request), timezone.now(), form.to_wire()
        if change:
            update_collection(project, obj.public_id, data=data, now=now)
        else:
            obj.pk = create_collection(project, data=data, now=now).pk

    def delete_model(self, request: HttpRequest, obj: ProductCollection) -> None:
        delete_collection(current_project(request), obj.public_id)

    @display(description=_("What is in it"))
    def asks(self, collection: ProductCollection) -> str:
        said = filter_sentences(
            with_names(collection.project_id, collection.filter or {}), collection.project.currency
        )
        return format_html_join("", "<p>{}</p>", ((sentence,) for sentence in said))

    @display(description=_("Products"))
    def members(self, collection: ProductCollection) -> str:
        found = members_of([collection])[collection.pk]
        names = format_html_join(
            ", ", "{}", ((member.product or member.sku,) for member in found[:MEMBERS_SHOWN])
        )
        return names if len(found) <= MEMBERS_SHOWN else format_html("{}, …", names)
