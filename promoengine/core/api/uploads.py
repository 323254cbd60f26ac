"""Files that clients upload, kept until a worker has read them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from promoengine.core.api.renderers import BODY_LIMIT
from promoengine.core.api.views import ApiRequest
from promoengine.core.errors import DomainError, InvalidPayload, QueryTooLarge
from promoengine.core.models import UploadedFile
from promoengine.core.services.uploads import keep_file


@contextmanager
def kept_upload(request: ApiRequest) -> Iterator[UploadedFile]:
    """Give the multipart field `file`, kept unless what is begun with it is refused."""
    file = keep_upload(request)
    try:
        yield file
    except DomainError:
        file.delete()
        raise


def keep_upload(request: ApiRequest) -> UploadedFile:
    """Return the multipart field `file`, kept in the database for the job that reads it.

    Raises:
        InvalidPayload: there is no such field, or it is empty.
        QueryTooLarge: it has more than 10 MB.
    """
    upload = request.FILES.get("file")
    if upload is None or not upload.size:
        raise InvalidPayload("Payload must have required property 'file'")
    if upload.size > BODY_LIMIT:
        raise QueryTooLarge("A file may have up to 10 MB")
    return keep_file(request.project, name=upload.name or "", chunks=upload.chunks(), now=datetime.now(UTC))
