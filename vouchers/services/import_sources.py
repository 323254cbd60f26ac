"""What codes are imported from: an uploaded table, or the records of a request, row by row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

import orjson

from campaigns.models import Campaign
from promoengine.core.errors import DomainError
from promoengine.core.models import AsyncAction, Project, UploadedFile
from promoengine.core.services.uploads import open_file
from promoengine.core.tables import ZIP, read_table
from vouchers.import_plans import ImportPlan, plan_of
from vouchers.services.read_codes import Reader, RecordReader, Surroundings, TableReader

SAMPLE = 1 << 16
PACKED_ROW = 15  # bytes that a row of codes takes in a packed workbook, about
FILE, CHECKED_FILE, RECORDS = "file", "checked_file", "records"


class FileGone(DomainError):
    key = "invalid_csv"
    message = "Invalid CSV"


class CampaignGone(DomainError):
    key = "invalid_campaign"
    message = "Invalid Campaign"


class Source(NamedTuple):
    """Numbered rows, about how many, what reads them, and what they call what they give, by staged column."""

    rows: Iterator[tuple[int, Any]]
    estimate: int
    reader: Reader
    names: dict[str, str]


@contextmanager
def source_of(action: AsyncAction) -> Iterator[Source]:
    """Give the rows that an import is of.

    Raises:
        FileGone, CampaignGone: there is no such file or campaign any more.
        UnreadableFile, InvalidPayload: it is no table, or its columns say too little.
    """
    project, plan = action.project, plan_of(action.params["plan"])
    file = uploaded_file(project, action.params.get(FILE) or action.params[CHECKED_FILE])
    around = Surroundings(project, campaign_of(project, plan))
    with open_file(file) as content:
        read = _records if action.params.get(RECORDS) else table_source
        yield read(content, around, plan)


def table_source(content: BinaryIO, around: Surroundings, plan: ImportPlan) -> Source:
    """Return the rows of a table.

    Raises:
        UnreadableFile, InvalidPayload: it is no table, or its columns say too little.
    """
    estimate = _estimate(content)
    table = read_table(content)
    reader = TableReader(around, plan, table.columns)
    rows = ((line.number, line) for line in table.lines)
    return Source(rows, estimate, reader, reader.staged_names())


def uploaded_file(project: Project, key: Any) -> UploadedFile:
    """Return a project's upload.

    Raises:
        FileGone: it has been imported, or a week has passed.
    """
    file = UploadedFile.objects.filter(project=project, pk=key).first()
    if file is None:
        raise FileGone("The file is gone: upload it again")
    return file


def campaign_of(project: Project, plan: ImportPlan) -> Campaign | None:
    """Return the campaign that the codes go into, None for codes on their own.

    Raises:
        CampaignGone: the project does not have it, or not any more.
    """
    if not plan.campaign:
        return None
    campaign = Campaign.objects.filter(project=project, pk=plan.campaign).present().first()
    if campaign is None:
        raise CampaignGone("The campaign was deleted")
    return campaign


def _records(content: BinaryIO, around: Surroundings, plan: ImportPlan) -> Source:
    records = orjson.loads(content.read())
    return Source(enumerate(records, start=1), len(records), RecordReader(around), {})


def _estimate(content: BinaryIO) -> int:
    """Guess how many rows a file has, for a bar to move by."""
    content.seek(0)
    sample = content.read(SAMPLE)
    size = content.seek(0, 2)
    if sample.startswith(ZIP):
        return size // PACKED_ROW
    return size * sample.count(b"\n") // max(1, len(sample))
