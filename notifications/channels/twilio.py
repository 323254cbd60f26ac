"""SMS by Twilio's Messages resource (twilio.com/docs/messaging/api/message-resource)."""

from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from requests.exceptions import ConnectionError as Unreachable
from requests.exceptions import RequestException
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from notifications.channels.outcome import Outcome, Receipt, receipt_of_status
from notifications.models import Message

TIMEOUT_SECONDS = 10


class _HttpClient(TwilioHttpClient):
    """Twilio's own client, with the host taken from the settings."""

    def request(self, method: str, url: str, *args: object, **kwargs: object) -> Response:
        base, asked = urlsplit(settings.TWILIO_URL), urlsplit(url)
        return super().request(
            method, urlunsplit(asked._replace(scheme=base.scheme, netloc=base.netloc)), *args, **kwargs
        )


class TwilioChannel:
    vendor = "twilio"

    def send(self, message: Message) -> Receipt:
        """Hand the message to Twilio, which answers with its id."""
        client = Client(
            settings.TWILIO_ACCOUNT_SID,
            settings.TWILIO_AUTH_TOKEN,
            http_client=_HttpClient(timeout=TIMEOUT_SECONDS),
        )
        try:
            sent = client.messages.create(to=message.recipient, from_=settings.TWILIO_FROM, body=message.body)
        except TwilioRestException as error:
            return receipt_of_status(error.status, error.msg)
        except Unreachable as error:
            refused = "refused" in str(error)
            return Receipt(Outcome.RETRY if refused else Outcome.UNKNOWN, detail=str(error))
        except RequestException as error:
            return Receipt(Outcome.UNKNOWN, detail=str(error))
        return Receipt(Outcome.SENT, vendor_id=sent.sid or "")
