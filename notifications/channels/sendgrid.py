"""E-mail by SendGrid's v3 mail/send (docs.sendgrid.com/api-reference/mail-send)."""

from email.utils import parseaddr
from urllib.error import URLError

from django.conf import settings
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from sendgrid.helpers.mail import Email, Mail

from notifications.channels.outcome import Outcome, Receipt, receipt_of_status
from notifications.models import Message

TIMEOUT_SECONDS = 10


class SendGridChannel:
    vendor = "sendgrid"

    def send(self, message: Message) -> Receipt:
        """Hand the message to SendGrid, which answers 202 with its id in a header."""
        name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
        mail = Mail(
            from_email=Email(address, name or None),
            to_emails=message.recipient,
            subject=message.subject,
            plain_text_content=message.body,
        )
        client = SendGridAPIClient(settings.SENDGRID_API_KEY, host=settings.SENDGRID_URL)
        client.client.timeout = TIMEOUT_SECONDS
        try:
            answer = client.send(mail)
        except HTTPError as error:
            detail = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body)
            return receipt_of_status(error.status_code, detail, error.headers.get("Retry-After"))
        except ConnectionRefusedError as error:
            return Receipt(Outcome.RETRY, detail=str(error))
        except URLError as error:
            refused = isinstance(error.reason, ConnectionRefusedError)
            return Receipt(Outcome.RETRY if refused else Outcome.UNKNOWN, detail=str(error))
        except (OSError, EOFError) as error:
            return Receipt(Outcome.UNKNOWN, detail=str(error))
        return Receipt(Outcome.SENT, vendor_id=answer.headers.get("X-Message-Id") or "")
