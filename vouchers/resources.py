"""Codes out of files: django-import-export reads the rows, the services make the codes."""

from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from import_export import fields, resources

from campaigns.models import Campaign
from promoengine.core.currencies import EXPONENTS
from promoengine.core.errors import InvalidPayload
from promoengine.core.models import Project
from promoengine.core.services.metadata import schemas_now
from vouchers.models import Voucher
from vouchers.services.create import create_voucher

VALUE_FIELDS = {"PERCENT": "percent_off", "AMOUNT": "amount_off", "FIXED": "fixed_amount"}
BOOLEANS = {"": None, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
COLUMNS = (
    "code",
    "campaign",
    "voucher type",
    "discount type",
    "value",
    "category",
    "start date",
    "expiration date",
    "redemption limit",
    "active",
    "additional info",
    "redeemed quantity",
    "holder",
    "created",
    "id",
)


class VoucherResource(resources.ModelResource):
    """One row a code. Amounts are written as on a price tag; unknown columns become metadata."""

    code = fields.Field(attribute="code", column_name="Code")
    campaign = fields.Field(attribute="campaign__name", column_name="Campaign")
    type = fields.Field(attribute="type", column_name="Voucher Type")
    discount_type = fields.Field(column_name="Discount Type")
    value = fields.Field(column_name="Value")
    category = fields.Field(column_name="Category")
    start_date = fields.Field(attribute="start_date", column_name="Start Date")
    expiration_date = fields.Field(attribute="expiration_date", column_name="Expiration Date")
    quantity = fields.Field(attribute="quantity", column_name="Redemption Limit")
    redeemed_quantity = fields.Field(column_name="Redeemed Quantity")
    active = fields.Field(attribute="active", column_name="Active")
    holder = fields.Field(attribute="holder__email", column_name="Holder")
    additional_info = fields.Field(attribute="additional_info", column_name="Additional Info")

    class Meta:
        model = Voucher
        fields = (
            "code",
            "campaign",
            "type",
            "discount_type",
            "value",
            "category",
            "start_date",
            "expiration_date",
            "quantity",
            "redeemed_quantity",
            "active",
            "holder",
            "additional_info",
        )
        use_transactions = True
        rollback_on_validation_errors = True
        skip_diff = True

    def __init__(self, project: Project, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.project = project
        self._seen: dict[str, int] = {}

    def get_instance(self, instance_loader: Any, row: Any) -> None:
        """Every row is a new code; one that exists is refused by the service."""

    def before_import(self, dataset: Any, **kwargs: Any) -> None:
        self._seen = {}
        if "code" not in {(header or "").strip().lower() for header in dataset.headers or []}:
            raise InvalidPayload("There is no column 'Code'")

    def import_instance(self, instance: Voucher, row: Any, **kwargs: Any) -> None:
        """Read the row; its fields are set by the service that makes the code."""
        instance.code = str(row.get("Code") or row.get("code") or "").strip()

    def save_instance(self, instance: Voucher, is_create: bool, row: Any, **kwargs: Any) -> None:
        number = kwargs.get("row_number", 0)
        key = instance.code if self.project.case_sensitive_codes else instance.code.upper()
        if key in self._seen:
            raise InvalidPayload(f"Code {instance.code} stands in row {self._seen[key]} already")
        self._seen[key] = number
        data = self._read({str(name or "").strip(): cell for name, cell in row.items()})
        made = create_voucher(
            self.project,
            data=data,
            campaign=self._campaign(data.pop("campaign", None)),
            code=instance.code or " ",
            channel="USER_PORTAL",
            now=timezone.now(),
        )
        instance.pk = made.pk

    def _campaign(self, name: str | None) -> Campaign | None:
        if not name:
            return None
        campaign = Campaign.objects.filter(project=self.project, name=name).present().first()
        if campaign is None:
            raise InvalidPayload(f"Campaign {name} does not exist")
        return campaign

    def _read(self, row: dict[str, Any]) -> dict[str, Any]:
        cells = {name.lower(): str(cell).strip() if cell is not None else "" for name, cell in row.items()}
        kind = cells.get("voucher type", "").upper().replace(" ", "_") or None
        data: dict[str, Any] = {
            "campaign": cells.get("campaign"),
            "category": cells.get("category") or None,
            "additional_info": cells.get("additional info") or None,
            "start_date": _moment(cells.get("start date", ""), "Start Date"),
            "expiration_date": _moment(cells.get("expiration date", ""), "Expiration Date"),
            "active": _boolean(cells.get("active", "")),
            "metadata": self._metadata(row),
        }
        if limit := cells.get("redemption limit"):
            data["redemption"] = {"quantity": _number(limit, "Redemption Limit")}
        if data["campaign"]:
            return data
        if kind == "GIFT_VOUCHER":
            return data | {"type": kind, "gift": {"amount": self._minor(cells.get("value", ""))}}
        discount = cells.get("discount type", "").upper() or "AMOUNT"
        if discount not in VALUE_FIELDS:
            raise InvalidPayload(f"Discount Type should be one of {', '.join(VALUE_FIELDS)}")
        value = cells.get("value", "")
        amount = _number(value, "Value") if discount == "PERCENT" else self._minor(value)
        return data | {
            "type": kind or "DISCOUNT_VOUCHER",
            "discount": {"type": discount, VALUE_FIELDS[discount]: amount},
        }

    def _metadata(self, row: dict[str, Any]) -> dict[str, Any]:
        others = {
            name: str(cell)
            for name, cell in row.items()
            if name and name.lower() not in COLUMNS and cell not in (None, "")
        }
        return schemas_now(self.project).read_cells("voucher", others) if others else {}

    def _minor(self, text: str) -> int:
        amount = _number(text, "Value") * 10 ** EXPONENTS.get(self.project.currency, 2)
        return round(amount)


def _moment(text: str, column: str) -> Any:
    if not text:
        return None
    try:
        moment = parse_datetime(text)
        day = None if moment else parse_date(text)
    except ValueError:
        moment = day = None
    if day:
        moment = parse_datetime(f"{day.isoformat()}T00:00:00+00:00")
    if moment is None:
        raise InvalidPayload(f"{column} should be a date such as 2026-12-31, and is {text!r}")
    return moment if moment.tzinfo else timezone.make_aware(moment)


def _boolean(text: str) -> bool | None:
    if text.lower() not in BOOLEANS:
        raise InvalidPayload(f"Active should be true or false, and is {text!r}")
    return BOOLEANS[text.lower()]


def _number(text: str, column: str) -> float | int:
    try:
        number = float(text)
    except ValueError as error:
        raise InvalidPayload(f"{column} should be a number, and is {text!r}") from error
    if not 0 <= number < 1e12:
        raise InvalidPayload(f"{column} should be 0 or more, and is {text!r}")
    return int(number) if number.is_integer() else number
