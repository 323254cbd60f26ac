"""The published contract: which schema an answer has, what in an answer breaks it, what it does not know."""

import json
import os
import re
from collections.abc import Iterable, Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError

SHARED = Path(os.environ.get("PROMO_SHARED") or Path(__file__).parents[2].parent / "shared")
CONTRACT = SHARED / "api" / "contract" / "openapi.json"

# The service sends these as null although the contract does not say nullable; clients rely on it.
NULLS = {
    "voucher": {
        "campaign",
        "campaign_id",
        "category",
        "category_id",
        "discount",
        "gift",
        "loyalty_card",
        "start_date",
        "expiration_date",
        "validity_timeframe",
        "validity_day_of_week",
        "additional_info",
        "updated_at",
    },
    "order": {"source_id", "updated_at", "customer_id", "referrer_id"},
    "customer": {"name", "email", "source_id"},
    "redemption": {"order", "customer", "customer_id", "tracking_id", "metadata", "redemption"},
    "redemption_rollback": {"order", "customer", "tracking_id", "metadata"},
    "publication": {"source_id", "tracking_id"},
    "async_action": {"result"},
    "export": {"user_id"},
    "event": {"referral", "loyalty"},
    "list": {"quantity"},
    "": {
        "campaign_id",
        # Of stacking rules: no limit, as the service itself says of a project that set none.
        "applicable_redeemables_per_category_limit",
        "applicable_exclusive_redeemables_per_category_limit",
    },
}
# Ours beside the contract: what the service sends too, or what makes an answer clearer.
EXTRAS = {
    "order": {"redemptions", "rollback_id", "created_at", "updated_at", "status", "source_id", "customer"},
    "redemption": {"voucher", "promotion_tier", "status"},
    "redemption_rollback": {"reason", "status", "voucher", "session"},
    "voucher": {"loyalty_card", "validation_rules_assignments"},
    "list": {"redeemed_amount", "has_more"},
    # Older endpoints do not describe the ids of lines.
    "order_item": {"metadata", "id"},
    "products_collection": {"updated_at"},
    "segment": {"initial_sync_status", "initial_sync_progress"},
    "redeemable_holder": {"object"},
    # Known to the lists on campaigns and vouchers; the rules' own endpoints don't describe them.
    "validation_rules_assignment": {"validation_status", "validation_omitted_rules"},
    # Of stacking rules: shown in the published examples only.
    "": {"grouped_redeemables_sorting_rule"},
}
# Where an object has no name: an error, rows of a report, a map whose keys are ids, and the bundle that
# validations of several redeemables show and the older one of one code shows, too.
EXTRA_PATHS = re.compile(
    r"\.request_id|\.result\.failed\[\d+\]\.(row|reason|source_id|code)"
    # What an activity's `data` holds differs by its type, and the schema leaves it out.
    r"|\.data\[\d+\]\.(event_source|category|data\.\w+)|.*\.order\.redemptions\.r_\w+|\.bundle"
)


class Published:
    """The contract, loaded once."""

    @cached_property
    def document(self) -> dict[str, Any]:
        document = json.loads(CONTRACT.read_text())
        # The contract calls it a string; its own example and every client have a boolean.
        promotion = document["components"]["schemas"]["6_res_validate_promotion_object"]
        promotion["properties"]["valid"] = {"type": "boolean"}
        # It lets a bundle's rule have one property, meaning one rule, which has a name and conditions.
        bundle = document["components"]["schemas"]["ValidationRuleBundleRules"]["additionalProperties"]
        del bundle["properties"]["rules"]["additionalProperties"]["maxProperties"]
        # A rule's own words stand alone in the older validation, as in the client side's examples of it.
        invalid = document["components"]["schemas"]["VouchersValidateInvalidResponseBody"]
        invalid["properties"]["error"]["required"] = ["message"]
        # It requires `data` of the list of metadata schemas, which is under `schemas`, as its example has it.
        schemas = document["components"]["schemas"]["MetadataSchemasListResponseBody"]
        schemas["required"] = ["object", "data_ref", "schemas", "total"]
        # No published example of a project has a token for webhooks, and there are none to sign here.
        document["components"]["schemas"]["ManagementProjectBaseWithConfig"]["required"].remove(
            "webhook_token"
        )
        # It has rings of whole numbers; GeoJSON, which it refers to, has rings of positions.
        rings = document["components"]["schemas"]["PolygonCoordinates"]["items"]
        rings["items"] = {"type": "array", "items": {"type": "number"}}
        # It calls them `segments`; what it requires, refers to and shows in examples is `data`.
        listed = document["components"]["schemas"]["SegmentsListResponseBody"]["properties"]
        listed["data"] = listed.pop("segments")
        return document

    @cached_property
    def operations(self) -> list[tuple[re.Pattern[str], str, str, dict[str, Any]]]:
        """Every operation with a pattern of its path; more literal paths come first."""
        found = []
        for template, operations in self.document["paths"].items():
            pattern = re.compile(re.sub(r"\\{[^}]+\\}", "[^/]+", re.escape(template)))
            for method, operation in operations.items():
                if method in ("get", "post", "put", "delete"):
                    found.append((pattern, method, template, operation))
        return sorted(found, key=lambda row: row[2].count("{"))

    def problems(self, method: str, path: str, status: int, body: Any) -> list[str]:
        """Return what in an answer breaks the contract, and the keys that it does not know."""
        operation = self.operation(method, path)
        responses = operation["responses"]
        if str(status) not in responses:
            return [f"status {status} is not published"]
        content = responses[str(status)].get("content")
        if not content or not body:
            return []
        schema = content["application/json"]["schema"]
        validator = Draft202012Validator({**self.root, "allOf": [as_json_schema(schema)]})
        cleaned = without_nulls(body)
        broken = [
            f"{'/'.join(map(str, error.absolute_path))}: {error.message[:160]}"
            for error in deepest(validator.iter_errors(cleaned))
            if not is_known_null(error)
        ]
        return broken + list(self.unknown_keys(cleaned, schema, ""))

    def operation(self, method: str, path: str) -> dict[str, Any]:
        for pattern, known_method, _, operation in self.operations:
            if known_method == method and pattern.fullmatch(path):
                return operation
        raise AssertionError(f"{method} {path} is not in the contract")

    @cached_property
    def root(self) -> dict[str, Any]:
        return as_json_schema({"components": self.document["components"]})

    def unknown_keys(self, value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
        if isinstance(value, list):
            for index, item in enumerate(value):
                for branch in self.branches(schema):
                    if "items" in branch:
                        yield from self.unknown_keys(item, branch["items"], f"{where}[{index}]")
                        break
        if not isinstance(value, dict):
            return
        known: dict[str, list[dict[str, Any]]] = {}
        numbered: list[dict[str, Any]] = []
        for branch in self.branches(schema):
            if isinstance(branch.get("additionalProperties"), dict):
                numbered.append(branch["additionalProperties"])
            for name, inner in branch.get("properties", {}).items():
                known.setdefault(name, []).append(inner)
        if not known:
            return
        extras = EXTRAS.get(value.get("object", ""), set())
        for name, inner in value.items():
            if name in known:
                yield from self.unknown_keys(inner, {"anyOf": known[name]}, f"{where}.{name}")
            elif numbered:
                yield from self.unknown_keys(inner, {"anyOf": numbered}, f"{where}.{name}")
            elif name not in extras and not EXTRA_PATHS.fullmatch(f"{where}.{name}"):
                yield f"{where}.{name}: unknown to the contract"

    def branches(self, schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield a schema with all that it refers to or is made of."""
        if "$ref" in schema:
            node: Any = self.document
            for part in schema["$ref"][2:].split("/"):
                node = node[part]
            yield from self.branches(node)
            return
        yield schema
        for word in ("allOf", "anyOf", "oneOf"):
            for inner in schema.get(word, ()):
                yield from self.branches(inner)


@cache
def published() -> Published:
    return Published()


def as_json_schema(node: Any) -> Any:
    """Turn OpenAPI's `nullable` into null, and `oneOf`, whose branches overlap here, into `anyOf`."""
    if isinstance(node, list):
        return [as_json_schema(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    made = {
        ("anyOf" if name == "oneOf" else name): as_json_schema(inner)
        for name, inner in node.items()
        if name != "nullable"
    }
    if node.get("nullable") is True:
        if isinstance(made.get("enum"), list):
            made["enum"] = [*made["enum"], None]
        made = {"anyOf": [made, {"type": "null"}]}
    return made


def deepest(errors: Iterable[ValidationError]) -> Iterator[ValidationError]:
    """Yield what is wrong at the bottom of alternatives: of the one that comes closest."""
    for error in errors:
        if error.context:
            branches: dict[Any, list[ValidationError]] = {}
            for inner in error.context:
                branches.setdefault(inner.schema_path[0], []).append(inner)
            yield from min((list(deepest(branch)) for branch in branches.values()), key=weight)
        else:
            yield error


def weight(errors: list[ValidationError]) -> tuple[int, int]:
    wrong = [error for error in errors if not is_known_null(error)]
    return sum(error.validator == "enum" for error in wrong), len(wrong)


def is_known_null(error: ValidationError) -> bool:
    """Return whether a property is missing only because its null was left out."""
    if error.validator != "required" or not isinstance(error.instance, dict):
        return False
    missing = error.message.split("'")[1]
    return missing in NULLS.get(error.instance.get("object", ""), set())


def without_nulls(value: Any) -> Any:
    """Leave out the nulls that the service is known to send."""
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    allowed = NULLS.get(value.get("object", ""), set())
    return {
        name: without_nulls(item) for name, item in value.items() if item is not None or name not in allowed
    }
