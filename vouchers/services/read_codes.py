"""Reading codes to be imported: what a row of a table or a published record says, checked field by field."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from campaigns.models import Campaign, Category
from campaigns.services.terms import (
    AMOUNT_MAX,
    check_dates,
    check_discount,
    check_gift,
    check_quantity,
    check_windows,
)
from promoengine.core.currencies import EXPONENTS
from promoengine.core.errors import InvalidPayload
from promoengine.core.ids import new_id, parse_public_id
from promoengine.core.metadata import Schemas
from promoengine.core.models import Project
from promoengine.core.row_imports import LEFT_OUT, METADATA
from promoengine.core.services.metadata import check_metadata, schemas_now
from promoengine.core.tables import Line
from vouchers.codes import check_code
from vouchers.import_plans import ImportPlan
from vouchers.models import Voucher
from vouchers.services.create import TYPE_BLOCKS, InvalidVoucher
from vouchers.services.import_cells import (
    BadRow,
    plain,
    published_moment,
    read_boolean,
    read_count,
    read_limit,
    read_minor_units,
    read_moment,
    read_note,
    read_number,
    read_whole,
)

# What a cell of a spreadsheet shows whose formula failed.
SHEET_ERRORS = frozenset({"#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NUM!", "#NULL!"})
VALUE_FIELDS = {"PERCENT": "percent_off", "AMOUNT": "amount_off", "FIXED": "fixed_amount", "UNIT": "unit_off"}
NAME_MAX = 255
NEW_CATEGORIES_MAX = 1000
OFFERS_KEPT = 10_000
# Stands for "without limit" where the campaign has one: a code that may never be used can't be imported.
NO_LIMIT = 0

Staged = dict[str, Any]


class Reader(Protocol):
    """What reads one row or record of an import."""

    def read(self, number: int, row: Any) -> Staged:
        """Return the columns that it gives.

        Raises:
            DomainError: it can't be meant; the details name the column.
        """

    def name_of(self, row: Any) -> str:
        """Return the code that stands there, however wrong it is."""


class Surroundings:
    """What the codes of an import refer to, read once: campaigns, categories and schemas."""

    def __init__(self, project: Project, campaign: Campaign | None) -> None:
        self.project, self.campaign = project, campaign
        self.schemas: Schemas = schemas_now(project)
        self.has_schema = "voucher" in self.schemas.objects
        self._campaigns: dict[str, Campaign | None] = {}
        rows = Category.objects.filter(project=project).values_list("pk", "name")
        self._categories = dict(rows)
        self._names = set(self._categories.values())
        self._new_names: set[str] = set()
        if campaign is not None:
            check_has_codes(campaign)

    def campaign_named(self, name: str) -> Campaign:
        """Return the project's campaign of that name.

        Raises:
            BadRow, InvalidVoucher: there is none, or it has no codes.
        """
        if name not in self._campaigns:
            rows = Campaign.objects.filter(project=self.project, name=name).present()
            self._campaigns[name] = rows.first()
        found = self._campaigns[name]
        if found is None:
            raise BadRow(f"Campaign {name} does not exist")
        check_has_codes(found)
        return found

    def category(self, text: str, column: str) -> str:
        """Return the name of a category that is given by name or id; a new name is a new category."""
        name: str | None = text
        if key := parse_public_id(Category.prefix, text):
            name = self._categories.get(key)
        if name is None:
            raise BadRow(f"{column}: there is no category {text}")
        if len(name) > NAME_MAX:
            raise BadRow(f"{column} may have up to {NAME_MAX} characters")
        if name not in self._names and name not in self._new_names:
            # A column that is not of categories would make a million of them.
            if len(self._new_names) == NEW_CATEGORIES_MAX:
                raise BadRow(f"{column}: an import may bring up to {NEW_CATEGORIES_MAX} new categories")
            self._new_names.add(name)
        return name

    def base(self, number: int, campaign: Campaign | None, code: str) -> Staged:
        """Return what every code has: its row, a new key, its campaign, and how it is compared."""
        code = check_code(code)
        key = code if self.project.case_sensitive_codes else code.upper()
        return {
            "number": number,
            "id": new_id(),
            "code": code,
            "code_key": key,
            "campaign_id": campaign.pk if campaign else None,
        }

    def check_against_terms(
        self, staged: Staged, campaign: Campaign | None, names: Mapping[str, str]
    ) -> None:
        """Refuse what its own terms, or its campaign's, do not allow."""
        terms = campaign.terms() if campaign else {}
        limit = staged.get("quantity", terms.get("quantity"))
        if limit and staged.get("redeemed_quantity", 0) > limit:
            name = names.get("redeemed_quantity", "Redeemed Quantity")
            raise BadRow(f"{name} is above the limit of {limit}")
        if staged.get("redeemed_amount"):
            amount = staged.get("gift_amount")
            if amount is None:
                amount = campaign.gift["amount"] if campaign and campaign.gift else 0
            if staged["redeemed_amount"] > amount:
                name = names.get("redeemed_amount", "Redeemed Amount")
                raise BadRow(f"{name} is above the amount of the gift card")
        if "start_date" in staged or "expiration_date" in staged:
            check_dates(*(staged.get(name, terms.get(name)) for name in ("start_date", "expiration_date")))

    def check_metadata(self, metadata: Mapping[str, Any], campaign: Campaign | None) -> None:
        """Hold metadata to the schema; what is required is asked of the campaign, where the code has one."""
        check_metadata(self.schemas, "voucher", metadata, is_new=campaign is None)


class TableReader:
    """Reads the rows of a table by what its columns are."""

    def __init__(self, around: Surroundings, plan: ImportPlan, columns: Sequence[str]) -> None:
        self.around = around
        self.width = len(columns)
        mapping = plan.mapping_for(columns)
        places = {
            key: columns.index(name) for name, key in mapping.items() if key not in (METADATA, LEFT_OUT)
        }
        self.names = {key: columns[place] for key, place in places.items()}
        self.code_place = places["code"]
        self.campaign_place = places.get("campaign")
        self.metadata = [(name, columns.index(name)) for name, key in mapping.items() if key == METADATA]
        self.offer = [(key, places.get(key)) for key in ("type", "discount_type", "value", "effect")]
        self.readers = [
            (key, place, columns[place], self._reader(key, plan))
            for key, place in places.items()
            if key not in ("code", "campaign", "type", "discount_type", "value", "effect")
        ]
        self._offers: dict[tuple[str, ...], Staged] = {}
        self._is_price_tag = plan.is_price_tag
        self._zone = ZoneInfo(plan.zone)

    def staged_names(self) -> dict[str, str]:
        """Return what the table calls the staged columns that it gives."""
        names = {key: name for key, name in self.names.items() if key not in ("code", "campaign", "value")}
        if "value" in self.names:
            names["discount"] = self.names["value"]
            names.setdefault("gift_amount", self.names["value"])
        if self.metadata:
            names["metadata"] = ", ".join(name for name, _ in self.metadata)
        return names

    def name_of(self, row: Line) -> str:
        return row.cells[self.code_place].strip() if len(row.cells) > self.code_place else ""

    def read(self, number: int, row: Line) -> Staged:
        cells = row.cells
        if len(cells) < self.width:
            cells = [*cells, *[""] * (self.width - len(cells))]
        elif len(cells) > self.width and any(cell.strip() for cell in cells[self.width :]):
            raise BadRow(f"There are {len(cells)} cells in {self.width} columns: is a delimiter not quoted?")
        around, campaign = self.around, self.around.campaign
        if self.campaign_place is not None and (name := cells[self.campaign_place].strip()):
            named = around.campaign_named(name)
            if campaign is not None and named.pk != campaign.pk:
                raise BadRow(f"{self.names['campaign']} is {name!r}, and the codes go into {campaign.name!r}")
            campaign = named
        code = cells[self.code_place]
        if code in SHEET_ERRORS:
            raise BadRow(f"{self.names['code']} is {code}, the error of a formula")
        staged = around.base(number, campaign, code)
        if campaign is None:
            staged |= self._own_offer(cells)
        for key, place, name, read in self.readers:
            if text := cells[place].strip():
                staged[key] = read(text, name)
        self._keep_amounts_of_gifts(staged, campaign)
        around.check_against_terms(staged, campaign, self.names)
        if metadata := {name: cells[place].strip() for name, place in self.metadata if cells[place].strip()}:
            if around.has_schema:
                metadata = around.schemas.read_cells("voucher", metadata)
            staged["metadata"] = metadata
        if around.has_schema:
            around.check_metadata(metadata, campaign)
        return staged

    def _keep_amounts_of_gifts(self, staged: Staged, campaign: Campaign | None) -> None:
        if (campaign.gift is None) if campaign else (staged.get("type") != Voucher.Type.GIFT_VOUCHER):
            staged.pop("gift_amount", None)
            staged.pop("redeemed_amount", None)
        elif campaign is None and "gift_amount" not in staged:
            raise BadRow(f"{self.names.get('value', 'Value')} should be the amount of the gift card")

    def _own_offer(self, cells: Sequence[str]) -> Staged:
        said = tuple(cells[place].strip() if place is not None else "" for _, place in self.offer)
        if said not in self._offers:
            if len(self._offers) == OFFERS_KEPT:
                self._offers.clear()
            self._offers[said] = self._read_offer(*said)
        return self._offers[said]

    def _read_offer(self, kind: str, discount_type: str, value: str, effect: str) -> Staged:
        kind = kind.upper().replace(" ", "_") or Voucher.Type.DISCOUNT_VOUCHER
        name = self.names.get("value", "Value")
        if kind == Voucher.Type.GIFT_VOUCHER:
            # The amount may stand in a column of its own.
            in_value = {"gift_amount": self._amount(value, name)} if value else {}
            gift = check_gift({"amount": 0, "effect": effect.upper() or None})
            return {"type": kind, "gift_effect": gift["effect"]} | in_value
        if kind != Voucher.Type.DISCOUNT_VOUCHER:
            asked = self.names.get("type", "Voucher Type")
            raise BadRow(f"{asked} should be DISCOUNT_VOUCHER or GIFT_VOUCHER, and is {kind!r}")
        discount_type = discount_type.upper() or "AMOUNT"
        if discount_type not in VALUE_FIELDS:
            asked = self.names.get("discount_type", "Discount Type")
            raise BadRow(f"{asked} should be one of {', '.join(VALUE_FIELDS)}")
        is_money = discount_type in ("AMOUNT", "FIXED")
        size = self._amount(value, name) if is_money else plain(read_number(value, name))
        said = {"type": discount_type, VALUE_FIELDS[discount_type]: size, "effect": effect.upper() or None}
        return {"type": kind, "discount": check_discount(said)}

    def _reader(self, key: str, plan: ImportPlan) -> Callable[[str, str], Any]:
        return {
            "active": read_boolean,
            "category": self.around.category,
            "start_date": self._moment,
            "expiration_date": self._moment,
            "quantity": read_limit,
            "redeemed_quantity": read_count,
            "gift_amount": self._amount,
            "redeemed_amount": self._amount,
            "additional_info": read_note,
        }[key]

    def _moment(self, text: str, column: str) -> datetime:
        return read_moment(text, column, self._zone)

    def _amount(self, text: str, column: str) -> int:
        if not self._is_price_tag:
            return read_whole(text, column, AMOUNT_MAX)
        return read_minor_units(text, column, EXPONENTS.get(self.around.project.currency, 2))


class RecordReader:
    """Reads published records of vouchers, whose shape has been checked; fields beside the published ones are
    passed over.
    """

    def __init__(self, around: Surroundings) -> None:
        self.around = around

    def name_of(self, row: Mapping[str, Any]) -> str:
        return str(row.get("code") or "")

    def read(self, number: int, row: Mapping[str, Any]) -> Staged:
        around, campaign = self.around, self.around.campaign
        staged = around.base(number, campaign, row["code"])
        if campaign is None:
            staged |= self._own_offer(row)
        elif campaign.gift and row.get("gift"):
            staged["gift_amount"] = check_gift(row["gift"])["amount"]
        if row.get("redemption") is not None:
            staged["quantity"] = check_quantity(row["redemption"]) or NO_LIMIT
        for name in ("start_date", "expiration_date"):
            if row.get(name):
                staged[name] = published_moment(row[name], name)
        if row.get("active") is not None:
            staged["active"] = row["active"]
        if row.get("additional_info") is not None:
            staged["additional_info"] = row["additional_info"]
        if row.get("category") and row.get("category_id"):
            raise InvalidPayload("Either 'category' or 'category_id' may be given, not both")
        if category := row.get("category") or row.get("category_id"):
            staged["category"] = around.category(category, "Property .category")
        if windows := check_windows(row):
            staged["validity"] = windows
        around.check_against_terms(staged, campaign, {})
        if metadata := row.get("metadata"):
            staged["metadata"] = metadata
        if metadata or campaign is None:
            around.check_metadata(metadata or {}, campaign)
        return staged

    def _own_offer(self, row: Mapping[str, Any]) -> Staged:
        kind = row.get("type") or next((kind for block, kind in TYPE_BLOCKS.items() if row.get(block)), None)
        if kind == Voucher.Type.DISCOUNT_VOUCHER:
            return {"type": kind, "discount": check_discount(row.get("discount"))}
        if kind == Voucher.Type.GIFT_VOUCHER:
            gift = check_gift(row.get("gift"))
            return {"type": kind, "gift_amount": gift["amount"], "gift_effect": gift["effect"]}
        raise InvalidVoucher(
            "Property .type should be DISCOUNT_VOUCHER, GIFT_VOUCHER, with its 'discount' or 'gift'"
        )


def check_has_codes(campaign: Campaign) -> None:
    """Refuse a promotion, which customers use without a code."""
    if campaign.voucher_type is None:
        raise InvalidVoucher(f"Campaign {campaign.name} is a promotion and has no codes")
