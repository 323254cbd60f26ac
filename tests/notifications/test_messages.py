"""Telling customers of their codes: by e-mail and SMS, once, and again where it failed."""

import json
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from customers.services.consent import save_consent
from notifications.jobs import announce_publications, send_message
from notifications.models import Message
from notifications.services.send import send_again, send_waiting
from promoengine.core.models import OutboxEvent
from tests.factories import CampaignFactory
from tests.notifications.vendors import SPECS, vendor_server

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")

needs_specs = pytest.mark.skipif(not SPECS.exists(), reason=f"NO VENDOR TESTS: {SPECS} is missing")
TWILIO = {
    "TWILIO_ACCOUNT_SID": "AC" + "0" * 32,
    "TWILIO_AUTH_TOKEN": "secret",
    "TWILIO_FROM": "+15005550006",
}


@pytest.fixture
def published(api, project):
    """Publish a code, do the jobs that follow, and return the message."""

    def publish(**customer):
        campaign = CampaignFactory(project=project, name="Spring", expiration_date="2999-01-01T00:00:00Z")
        api.post(
            "/v1/publications",
            {"campaign": {"name": campaign.name}, "customer": {"source_id": "ann"} | customer},
        )
        deliver(OutboxEvent.objects.get(type="publication.succeeded"))
        return Message.objects.first()

    return publish


def deliver(event):
    announce_publications(event_ids=[str(event.pk)])
    for message in Message.objects.filter(status="waiting"):
        send_message(message_id=str(message.pk))


def test_the_code_is_sent_to_the_customers_address(published, project):
    message = published(email="ann@example.com", name="Ann <b>")

    (sent,) = mail.outbox
    assert (sent.to, sent.subject, message.status) == (
        ["ann@example.com"],
        f"Your code from {project.name}",
        "sent",
    )
    assert "Hello Ann <b>," in sent.body
    assert "It gives you 10% off the order." in sent.body
    assert "Use it before 1 January 2999, 00:00 UTC." in sent.body


def test_without_an_address_nothing_is_sent(published):
    assert published() is None


def test_an_event_that_comes_twice_is_announced_once(published):
    published(email="ann@example.com")

    deliver(OutboxEvent.objects.get(type="publication.succeeded"))

    assert (len(mail.outbox), Message.objects.count()) == (1, 1)


def test_a_phone_gets_no_message_without_a_channel(published):
    assert published(phone="+4915112345678") is None


def test_what_a_dead_worker_had_claimed_is_sent_later(published):
    message = published(email="ann@example.com")
    Message.objects.update(status="waiting", next_attempt_at=timezone.now() + timedelta(minutes=2))

    too_early = send_waiting(now=timezone.now())
    later = send_waiting(now=timezone.now() + timedelta(minutes=3))

    assert (too_early, later) == (0, 1)
    assert message is not None


@needs_specs
def test_sendgrid_gets_what_it_describes(published, settings):
    with vendor_server("sendgrid") as vendor:
        settings.SENDGRID_API_KEY, settings.SENDGRID_URL = "SG.x", vendor.url
        vendor.status, vendor.headers, vendor.body = 202, {"X-Message-Id": "m-1"}, b""

        message = published(email="ann@example.com")

    sent = json.loads(vendor.requests[0].data)
    assert vendor.problems == []
    assert sent["personalizations"][0]["to"] == [{"email": "ann@example.com"}]
    assert (message.status, message.vendor, message.vendor_id) == ("sent", "sendgrid", "m-1")


@needs_specs
@pytest.mark.parametrize(
    ("status", "headers", "state"),
    [
        (429, {"Retry-After": "7"}, "waiting"),
        (503, {}, "waiting"),
        (400, {}, "failed"),
        (401, {}, "failed"),
        (500, {}, "unknown"),
    ],
)
def test_sendgrids_refusals_are_kept(published, settings, status, headers, state):
    with vendor_server("sendgrid") as vendor:
        settings.SENDGRID_API_KEY, settings.SENDGRID_URL = "SG.x", vendor.url
        vendor.status, vendor.headers, vendor.body = status, headers, b'{"errors": [{"message": "no"}]}'

        message = published(email="ann@example.com")

    assert (message.status, message.attempts) == (state, 1)
    assert "no" in message.error


@needs_specs
def test_a_connection_that_drops_leaves_it_unknown(published, settings):
    with vendor_server("sendgrid") as vendor:
        settings.SENDGRID_API_KEY, settings.SENDGRID_URL = "SG.x", vendor.url
        vendor.drops = True

        message = published(email="ann@example.com")

    assert (message.status, len(vendor.requests)) == ("unknown", 1)


def test_a_vendor_that_is_away_is_asked_again(published, settings):
    settings.SENDGRID_API_KEY, settings.SENDGRID_URL = "SG.x", "http://127.0.0.1:1"

    message = published(email="ann@example.com")

    assert message.status == "waiting"
    assert message.next_attempt_at > timezone.now()


@needs_specs
def test_twilio_gets_what_it_describes(published, settings):
    with vendor_server("twilio") as vendor:
        for name, value in TWILIO.items():
            setattr(settings, name, value)
        settings.TWILIO_URL = vendor.url
        vendor.status, vendor.body = 201, json.dumps({"sid": "SM" + "1" * 32}).encode()

        message = published(phone="+4915112345678")

    assert vendor.problems == []
    assert vendor.requests[0].form["To"] == "+4915112345678"
    assert (message.status, message.vendor, message.vendor_id) == ("sent", "twilio", "SM" + "1" * 32)


@needs_specs
@pytest.mark.parametrize(("status", "state"), [(400, "failed"), (429, "waiting"), (500, "unknown")])
def test_twilios_refusals_are_kept(published, settings, status, state):
    with vendor_server("twilio") as vendor:
        for name, value in TWILIO.items():
            setattr(settings, name, value)
        settings.TWILIO_URL = vendor.url
        vendor.status, vendor.body = status, b'{"message": "no", "code": 21211}'

        message = published(phone="+4915112345678")

    assert message.status == state


@pytest.mark.parametrize(("given", "messages"), [(None, 1), (True, 1), (False, 0)])
def test_who_refuses_e_mail_gets_none(published, api, project, given, messages):
    consent = save_consent(project, name="Mail", now=timezone.now())
    api.post("/v1/customers", {"source_id": "ann"})
    if given is not None:
        api.put("/v1/customers/ann/consents", {consent.public_id: given})

    published(email="ann@example.com")

    assert Message.objects.count() == messages


def test_an_erased_customers_messages_are_erased(published, api):
    published(email="ann@example.com")
    api.post("/v1/customers/ann/permanent-deletion")

    assert Message.objects.values_list("recipient", "body").get() == ("", "")


def test_what_failed_is_sent_again_when_asked(published, project):
    message = published(email="ann@example.com")
    Message.objects.update(status="failed")

    count = send_again(project, message_ids=[message.pk], now=timezone.now())
    send_message(message_id=str(message.pk))

    assert (count, len(mail.outbox)) == (1, 2)
