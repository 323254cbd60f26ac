"""What people call what the lines of an order are about."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from campaigns.facts import Catalogue, catalogue_facts
from promoengine.core.models import Project
from promoengine.core.services.definitions import current_version
from promoengine.engine.checks import ANY_TIME
from redemptions.orders import Line


def names_of_lines(project: Project, lines: Sequence[Line]) -> list[str]:
    """Return what the lines themselves call their goods, else the catalogue, else their ids."""
    goods = catalogue_facts(project, lines=lines, version=current_version(project), at=ANY_TIME)
    return [_name_of(line, goods) for line in lines]


def _name_of(line: Line, goods: Catalogue) -> str:
    said = [(line.get("sku") or {}).get("sku"), (line.get("product") or {}).get("name")]
    good = goods.good_of_line(line)
    known = [good.wire.get("name"), good.wire.get("sku")] if good else []
    refs = [line.get(key) for key in ("source_id", "sku_id", "product_id")]
    return next((str(name) for name in [*said, *known, *refs] if name), _("Unnamed product"))
