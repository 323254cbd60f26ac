"""What a marketer says to refund an order: how many units of which line, and how discounts are judged."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from promoengine.engine.refunds import Mode
from redemptions.refund_requests import REASON_MAX, AskedUnits, RefundRequest
from redemptions.refunds import SoldOrder

MODES = [
    (Mode.KEEP.value, _("Discounts stay as they were: each unit brings its share")),
    (Mode.REEVALUATE.value, _("Discounts are judged anew on what the customer keeps")),
]


class RefundForm(forms.Form):
    """The units of each line that come back, in fields of their own, or all that is left.

    `expected_amount` and `source_id` come with a calculation that was shown: the refund is made for that
    amount, and once, however often the button is pressed.
    """

    everything = forms.BooleanField(
        required=False, label=_("All that is left, with what is on no line, such as shipping")
    )
    mode = forms.ChoiceField(choices=MODES, initial=Mode.KEEP, label=_("Discounts"), widget=forms.RadioSelect)
    reason = forms.CharField(
        required=False,
        max_length=REASON_MAX,
        label=_("Reason"),
        help_text=_("For you and your colleagues."),
        widget=UnfoldAdminTextInputWidget,
    )
    expected_amount = forms.IntegerField(required=False, min_value=0, widget=forms.HiddenInput)
    source_id = forms.CharField(required=False, max_length=255, widget=forms.HiddenInput)

    def __init__(self, sold: SoldOrder, names: Sequence[str], data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.sold = sold
        for number, name in enumerate(names):
            left = sold.places[number].left
            self.fields[f"units-{number}"] = forms.IntegerField(
                required=False,
                min_value=0,
                max_value=left,
                label=_("How many of %(name)s come back") % {"name": name},
                disabled=not left,
                widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": "0"}),
            )

    @property
    def units(self) -> list[forms.BoundField]:
        return [self[f"units-{number}"] for number in range(len(self.sold.lines))]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors and not cleaned["everything"] and not self._asked_units():
            raise forms.ValidationError(_("Say how many units come back, or tick all that is left."))
        return cleaned

    def to_request(self) -> RefundRequest:
        """Return the refund as a storefront would ask for it."""
        cleaned = self.cleaned_data
        return RefundRequest(
            None if cleaned["everything"] else self._asked_units(),
            Mode(cleaned["mode"]),
            cleaned["source_id"] or None,
            cleaned["reason"],
            expected_amount=cleaned["expected_amount"],
        )

    def _asked_units(self) -> tuple[AskedUnits, ...]:
        counts = (
            (number, self.cleaned_data.get(f"units-{number}")) for number in range(len(self.sold.lines))
        )
        return tuple(AskedUnits(count, number) for number, count in counts if count)
