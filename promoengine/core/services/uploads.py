"""Files that people upload, kept in the database part by part, so that any worker can read them."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import BinaryIO

from django.db import transaction

from promoengine.core.models import Project, UploadedFile, UploadedPart
from promoengine.core.tables import read_table

PART = 1 << 20


@transaction.atomic
def keep_file(project: Project, *, name: str, chunks: Iterable[bytes], now: datetime) -> UploadedFile:
    """Keep an upload's bytes until its import is done, holding a part of them in memory at a time."""
    file = UploadedFile.objects.create(project=project, name=name[:255], created_at=now)
    for number, content in enumerate(_parts(chunks)):
        UploadedPart.objects.create(file=file, number=number, content=content)
        file.size += len(content)
    file.save(update_fields=["size"])
    return file


@contextmanager
def open_file(file: UploadedFile) -> Iterator[BinaryIO]:
    """Give an upload as a file on disk, which can be read from any place and takes no memory."""
    with tempfile.TemporaryFile() as copy:
        for number in range(-(-file.size // PART)):
            content = UploadedPart.objects.values_list("content", flat=True).get(file=file, number=number)
            copy.write(content)
        copy.seek(0)
        yield copy


def columns_of_table(file: UploadedFile) -> list[str]:
    """Return the columns that an upload's first line names.

    Raises:
        UnreadableFile: it is no table.
    """
    with open_file(file) as content:
        return [name for name in read_table(content).columns if name]


def _parts(chunks: Iterable[bytes]) -> Iterator[bytes]:
    waiting = bytearray()
    for chunk in chunks:
        waiting += chunk
        while len(waiting) >= PART:
            yield bytes(waiting[:PART])
            del waiting[:PART]
    if waiting:
        yield bytes(waiting)
