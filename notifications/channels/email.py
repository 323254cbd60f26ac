"""E-mail by Django's mail backend: a file or the console by default, any SMTP server if set."""

from smtplib import SMTPException, SMTPRecipientsRefused

from django.core.mail import send_mail

from notifications.channels.outcome import Outcome, Receipt
from notifications.models import Message


class EmailChannel:
    vendor = "mail"

    def send(self, message: Message) -> Receipt:
        """Hand the message to the mail backend."""
        try:
            send_mail(message.subject, message.body, None, [message.recipient])
        except SMTPRecipientsRefused as error:
            return Receipt(Outcome.FAILED, detail=str(error))
        except (SMTPException, OSError) as error:
            return Receipt(Outcome.RETRY, detail=str(error))
        return Receipt(Outcome.SENT)
