"""A look at a table before it is imported: its columns, its first rows, and what is wrong with them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import BinaryIO

from promoengine.core.errors import DomainError, InvalidPayload
from promoengine.core.models import Project, UploadedFile
from promoengine.core.row_imports import check_columns
from promoengine.core.services.reports import Reported
from promoengine.core.services.uploads import columns_of_table, open_file
from promoengine.core.tables import read_table
from vouchers.import_plans import ImportPlan, published_mapping
from vouchers.services.import_sources import campaign_of, table_source
from vouchers.services.read_codes import Surroundings

SAMPLES = 3
CHECKED = 200
PROBLEMS = 10
CELL_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Column:
    """A column with its first cells, cut short."""

    name: str
    samples: list[str]


@dataclass(frozen=True, slots=True)
class Trial:
    """How many of the first rows were read, how many of them are good, and the first problems."""

    checked: int
    good: int
    problems: list[Reported]


def columns_of(file: UploadedFile) -> list[Column]:
    """Return the named columns of an uploaded table, each with its first cells.

    Raises:
        UnreadableFile: it is no table.
    """
    with open_file(file) as content:
        table = read_table(content)
        lines = [line.cells for line in islice(table.lines, SAMPLES)]
    return [
        Column(name, [cells[place][:CELL_SHOWN] for cells in lines if place < len(cells)])
        for place, name in enumerate(table.columns)
        if name
    ]


def with_mapping(plan: ImportPlan, mapping: Mapping[str, str], file: UploadedFile) -> ImportPlan:
    """Return the plan by which some columns are what a mapping says; the others are what their headers say.

    Raises:
        InvalidPayload: the table lacks one of the columns, no column has the codes, or two give the same.
        UnreadableFile: it is no table.
    """
    columns = columns_of_table(file)
    check_columns(mapping, columns)
    published = published_mapping(columns, is_campaign=bool(plan.campaign))
    mapped = replace(plan, mapping={**published, **mapping})
    try:
        mapped.mapping_for(columns)
    except InvalidPayload as refusal:
        raise InvalidPayload(f"Property .mapping can't be so. {refusal.details}") from refusal
    return mapped


def try_first_rows(project: Project, *, file: UploadedFile, plan: ImportPlan) -> Trial:
    """Read the first rows as an import would, and change nothing; whether codes are taken is not asked.

    Raises:
        UnreadableFile, InvalidPayload: it is no table, or its columns say too little.
        CampaignGone, InvalidVoucher: the codes can't go into the campaign.
    """
    around = Surroundings(project, campaign_of(project, plan))
    with open_file(file) as content:
        return _try(content, around, plan)


def _try(content: BinaryIO, around: Surroundings, plan: ImportPlan) -> Trial:
    source = table_source(content, around, plan)
    checked, problems = 0, []
    for number, row in islice(source.rows, CHECKED):
        checked += 1
        try:
            source.reader.read(number, row)
        except DomainError as refusal:
            problems.append(Reported(number, source.reader.name_of(row), str(refusal)))
    return Trial(checked, checked - len(problems), problems[:PROBLEMS])
