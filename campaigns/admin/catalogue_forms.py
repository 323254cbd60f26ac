"""The forms of the catalogue: prices as on a price tag, collections without JSON."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from campaigns.builtin import SHIPPING_IDS
from campaigns.catalogue_selectors import products_of
from campaigns.models import Product, ProductCollection, Sku
from promoengine.core.admin_attribute_fields import AttributeFields
from promoengine.core.admin_conditions import (
    JUNCTIONS,
    ROWS,
    check_rows,
    check_values,
    condition_fields,
    filter_in_words,
    split_lines,
    split_values,
    text_field,
)
from promoengine.core.admin_details import DetailChanges, DetailsField, Pair, detail_changes, value_of
from promoengine.core.models import Project
from promoengine.core.prices import major_units, minor_units, plain_number

FIELDS = [
    ("", "---"),
    ("name", _("Name")),
    ("source_id", _("The shop's own id")),
    ("price", _("Price")),
    ("metadata", _("A detail (metadata)")),
]
OPERATORS = [
    ("$in", _("is one of")),
    ("$not_in", _("is none of")),
    ("$contains", _("contains one of")),
    ("$starts_with", _("starts with one of")),
    ("$more_than", _("is more than")),
    ("$less_than", _("is less than")),
]
# What the API may ask and the form does not offer.
SAID = {
    "id": _("Id"),
    "product_id": _("The product's id"),
    "object": _("Kind"),
    "attributes": _("What its SKUs differ in"),
    "image_url": _("Image"),
    "skus": _("SKUs"),
    "created_at": _("Created"),
    "updated_at": _("Last changed"),
}
NUMERIC = ("$more_than", "$less_than")


class GoodForm(AttributeFields, forms.ModelForm):
    """What products and SKUs have in common: a price, and the shop's own id, which stays once it is set."""

    price_tag = forms.DecimalField(
        label=_("Price"),
        required=False,
        min_value=Decimal(0),
        max_digits=15,
        decimal_places=3,
        help_text=_("As you would write it on a price tag."),
        widget=UnfoldAdminDecimalFieldWidget,
    )
    details = DetailsField(
        label=_("Details (metadata)"),
        required=False,
        help_text=_("What rules and collections may ask for, as in brand and Acme."),
    )
    project: Project

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["details"] = self._stored_details
        if "source_id" not in self.fields:  # for those who may only look
            return
        if self.instance.price is not None:
            self.initial["price_tag"] = major_units(self.instance.price, self.project.currency)
        if self.instance.source_id is not None:
            self.fields["source_id"].disabled = True

    def schema_name(self) -> str:
        return "product"

    def clean_source_id(self) -> str | None:
        source_id: str | None = self.cleaned_data["source_id"] or None
        rows = self._meta.model.objects.filter(project=self.project, source_id=source_id)
        taken = source_id in SHIPPING_IDS or rows.exclude(pk=self.instance.pk).exists()
        if source_id and taken:
            raise forms.ValidationError(_("Another one has this id."))
        return source_id

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the services take it."""
        data = {name: self.cleaned_data[name] for name in self._meta.fields if name != "product"}
        price = self.cleaned_data["price_tag"]
        data["price"] = None if price is None else minor_units(price, self.project.currency)
        changed = {name: value_of(text) for name, text in self.detail_changes.changed.items()}
        if metadata := self.metadata_to_wire().get("metadata", {}) | changed:
            data["metadata"] = metadata
        return data

    def clean_details(self) -> list[Pair]:
        pairs: list[Pair] = self.cleaned_data["details"]
        for name, _text in pairs:
            if name in self._attributes:
                raise forms.ValidationError(_("%(name)s has a field of its own.") % {"name": name})
        return pairs

    @property
    def detail_changes(self) -> DetailChanges:
        """What was typed over the details; a form that came without their rows changes none."""
        if self.fields["details"].widget.value_omitted_from_data(self.data, self.files, "details"):
            return DetailChanges()
        return detail_changes(self._stored_details, self.cleaned_data["details"])

    @property
    def _attributes(self) -> set[str]:
        return {name for name, _definition in self.shown.values()}

    @property
    def _stored_details(self) -> dict[str, Any]:
        """The metadata that have no field as a defined attribute."""
        stored = self.instance.metadata.items()
        return {name: value for name, value in stored if name not in self._attributes}


class ProductForm(GoodForm):
    """Makes and changes a product."""

    variants = forms.CharField(
        label=_("What its SKUs differ in"),
        required=False,
        max_length=1000,
        help_text=_("Separated by commas, as in size, color."),
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Product
        fields = ["name", "source_id", "image_url"]
        labels = {"source_id": _("The shop's own id")}
        widgets = {"image_url": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "name" in self.fields:
            self.fields["name"].required = True
        self.initial["variants"] = ", ".join(self.instance.attributes)

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the services take it."""
        return super().to_wire() | {"attributes": split_values(self.cleaned_data["variants"])}


class SkuForm(GoodForm):
    """Makes and changes a SKU of a product, which stays its product."""

    asks_required = False

    class Meta:
        model = Sku
        fields = ["product", "sku", "source_id", "image_url"]
        labels = {"sku": _("Name"), "source_id": _("The shop's own id")}
        widgets = {"image_url": UnfoldAdminTextInputWidget}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "sku" in self.fields:
            self.fields["sku"].required = True
        if "product" in self.fields:
            self.fields["product"].queryset = products_of(self.project)


class CollectionForm(forms.ModelForm):
    """Makes a collection of listed products or of what conditions match, and changes its conditions."""

    listed = forms.CharField(
        label=_("Products"),
        required=False,
        help_text=_("The shop's own ids, one a line; their SKUs come with them. The list stays as it is."),
        widget=UnfoldAdminTextareaWidget,
    )
    junction = forms.ChoiceField(
        label=_("Which of these must hold"),
        choices=[*JUNCTIONS.items()],
        required=False,
        widget=UnfoldAdminSelectWidget(choices=[*JUNCTIONS.items()]),
    )

    class Meta:
        model = ProductCollection
        fields = ["name", "type"]

    project: Project

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for row in range(ROWS):
            self.fields |= _condition_fields(row)
        if not self.instance._state.adding:
            if "type" in self.fields:
                self.fields["type"].disabled = True
            del self.fields["listed"]
            self._show()

    @property
    def is_editable(self) -> bool:
        """Whether its conditions are simple enough for the form."""
        return "junction" in self.fields

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.is_editable or cleaned.get("type") != ProductCollection.Type.AUTO_UPDATE:
            return cleaned
        check_rows(self, [self._field(row) for row in range(ROWS)], self._check)
        return cleaned

    def to_wire(self) -> dict[str, Any]:
        """Return what was filled in as the services take it."""
        cleaned = self.cleaned_data
        data: dict[str, Any] = {"name": cleaned["name"], "type": cleaned["type"]}
        if cleaned["type"] == ProductCollection.Type.STATIC:
            refs = split_lines(cleaned.get("listed", ""))
            return data | {"products": [{"id": ref, "object": "product"} for ref in refs]}
        if not self.is_editable:
            return data
        conditions = {self._field(row): self._condition(row) for row in range(ROWS) if self._field(row)}
        return data | {"filter": {"junction": cleaned["junction"] or "and", **conditions}}

    def _show(self) -> None:
        shown = shown_filter(self.instance.filter or {"junction": "and"}, self.project.currency)
        is_listed = self.instance.type == ProductCollection.Type.STATIC
        if shown is None or is_listed:
            for name in [name for name in self.fields if name not in self._meta.fields]:
                del self.fields[name]
        else:
            self.initial |= shown

    def _field(self, row: int) -> str:
        field: str = self.cleaned_data.get(f"field_{row}") or ""
        key = self.cleaned_data.get(f"key_{row}") or ""
        return f"metadata.{key}" if field == "metadata" else field

    def _check(self, row: int) -> None:
        field, operator = self._field(row), self.cleaned_data.get(f"operator_{row}")
        if field == "metadata.":
            self.add_error(f"key_{row}", _("Write the name of the detail, as in brand."))
        are_numbers = field == "price" or operator in NUMERIC
        check_values(self, row, are_numbers=are_numbers, is_one=operator in NUMERIC)

    def _condition(self, row: int) -> dict[str, Any]:
        operator = self.cleaned_data[f"operator_{row}"]
        texts = split_values(self.cleaned_data[f"value_{row}"])
        if self._field(row) == "price":
            values: list[Any] = [minor_units(Decimal(text), self.project.currency) for text in texts]
        elif operator in NUMERIC:
            values = [plain_number(Decimal(text)) for text in texts]
        else:
            values = list(texts)
        return {"conditions": {operator: values}}


def _condition_fields(row: int) -> dict[str, forms.Field]:
    return condition_fields(
        row,
        fields=FIELDS,
        operators=OPERATORS,
        key=text_field(_("Which detail"), max_length=100, help_text=_("As in brand.")),
        values=text_field(_("Values"), max_length=1000, help_text=_("Separated by commas.")),
    )


def shown_filter(filter: Mapping[str, Any], currency: str) -> dict[str, Any] | None:
    """Return a filter as the form's fields show it, or None where it says more than they can."""
    asked = [(field, one["conditions"]) for field, one in filter.items() if field != "junction"]
    shown: dict[str, Any] = {"junction": str(filter["junction"]).lower()}
    if len(asked) > ROWS:
        return None
    for row, (field, conditions) in enumerate(asked):
        name, _dot, key = field.partition(".")
        if len(conditions) != 1 or name not in dict(FIELDS) or (name == "metadata") != bool(key):
            return None
        ((operator, values),) = conditions.items()
        if operator not in dict(OPERATORS) or not isinstance(values, list):
            return None
        shown |= {f"field_{row}": name, f"key_{row}": key, f"operator_{row}": operator}
        shown[f"value_{row}"] = ", ".join(dict.fromkeys(_texts(values, name, currency)))
    return shown


def _texts(values: list[Any], name: str, currency: str) -> Iterator[str]:
    for value in values:
        if name == "price" and isinstance(value, int):
            yield f"{major_units(value, currency):f}"
        else:
            yield str(value).lower() if isinstance(value, bool) else str(value)


def filter_sentences(filter: Mapping[str, Any], currency: str) -> Iterator[str]:
    """Yield what a collection's filter asks, a sentence for each condition."""
    return filter_in_words(filter, _subject, lambda field, value: _shown(value, field, currency))


def _subject(field: str) -> str:
    _name, dot, key = field.partition(".")
    return key if dot else str((dict(FIELDS) | SAID).get(field, field))


def _shown(value: Any, field: str, currency: str) -> str:
    amount = currency if field == "price" and isinstance(value, int) else ""
    return f"{next(_texts([value], field, currency))} {amount}".strip()
