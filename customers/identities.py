"""What one person is known again by: e-mail, phone, card, device and address, each in one spelling.

Only keyed hashes of them are kept, as in `email:<uuid>`. The key of the hash is the project's own, so that
nobody can tell by them that two projects have the same customer.
"""

import hashlib
import hmac
import re
import unicodedata
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import phonenumbers
from django.conf import settings

KINDS = ("email", "phone", "card", "device", "address")
DIGITS_LEAST, LONGEST = 5, 320


@dataclass(frozen=True, slots=True)
class Mailboxes:
    """How a provider tells mailboxes apart: under which domain, and what of the name it ignores."""

    domain: str
    ignores_tag: bool = True
    ignores_dots: bool = False
    dots_are_hyphens: bool = False


def _provider(domains: str, **ignores: bool) -> dict[str, Mailboxes]:
    """Return domains that lead to the same mailboxes, which go by the first one."""
    names = domains.split()
    return {name: Mailboxes(names[0], **ignores) for name in names}


PROVIDERS: dict[str, Mailboxes] = {
    **_provider("gmail.com googlemail.com", ignores_dots=True),
    **_provider("icloud.com me.com mac.com"),
    **_provider("proton.me protonmail.com pm.me"),
    **_provider("yandex.ru yandex.com yandex.by yandex.kz ya.ru", dots_are_hyphens=True),
    **_provider("outlook.com"),
    **_provider("hotmail.com"),
    **_provider("live.com"),
    **_provider("msn.com"),
    **_provider("fastmail.com"),
    **_provider("fastmail.fm"),
    **_provider("hey.com"),
    **_provider("mailbox.org"),
    **_provider("posteo.de"),
}


def identity_keys(
    project_id: uuid.UUID, fields: Mapping[str, Any], known: Collection[str] = (), *, country: Any = None
) -> list[str]:
    """Return the keys of a customer: of the fields given and, where one is not given, those known already.

    `fields` are a customer's `email`, `phone` and `address` and, over them, `identities` by their kinds; one
    given as None is known no longer. Phone numbers without a prefix are those of `country`, ISO 3166.
    """
    values: dict[str, str | None] = {}
    if "email" in fields:
        values["email"] = normal_email(fields["email"])
    if "phone" in fields:
        values["phone"] = normal_phone(fields["phone"], country)
    if "address" in fields:
        values["address"] = normal_address(fields["address"])
    for kind, value in (fields.get("identities") or {}).items():
        match kind:
            case "email":
                values[kind] = normal_email(value)
            case "phone":
                values[kind] = normal_phone(value, country)
            case _:
                values[kind] = _text(value)
    keys = identity_kinds(known)
    for kind, value in values.items():
        keys.pop(kind, None)
        if value:
            keys[kind] = identity_key(project_id, kind, value)
    return [keys[kind] for kind in KINDS if kind in keys]


def identity_kinds(keys: Collection[str]) -> dict[str, str]:
    """Return keys by their kinds, in the order that rows have them in."""
    by_kind = {key.partition(":")[0]: key for key in keys}
    return {kind: by_kind[kind] for kind in KINDS if kind in by_kind}


@lru_cache(maxsize=4096)
def identity_key(project_id: uuid.UUID, kind: str, value: str) -> str:
    """Return the key of a value in its normal spelling."""
    own = hmac.digest(settings.SECRET_KEY.encode(), b"identities|" + project_id.bytes, hashlib.sha256)
    digest = hmac.digest(own, f"{kind}|{value}".encode(errors="surrogatepass"), hashlib.sha256)
    return f"{kind}:{uuid.UUID(bytes=digest[:16])}"


def key_id(key: str) -> uuid.UUID:
    """Return the hash in a key."""
    return uuid.UUID(key.partition(":")[2])


def normal_email(value: Any) -> str | None:
    """Return an e-mail address as its provider tells mailboxes apart; None where it is none."""
    text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", _text(value) or "").casefold())
    name, at, domain = "".join(text.split()).rpartition("@")
    if not (name and at and domain):
        return None
    domain = _domain(domain)
    mailboxes = PROVIDERS.get(domain)
    if mailboxes is None:
        return f"{name}@{domain}"
    return f"{_mailbox(name, mailboxes) or name}@{mailboxes.domain}"


def normal_phone(value: Any, country: Any = None) -> str | None:
    """Return a phone number as E.164 has it, or, where no country can be told, its digits."""
    text = unicodedata.normalize("NFKC", _text(value) or "")
    region = country.upper() if isinstance(country, str) and len(country) == 2 else None
    if number := _e164(re.sub(r"^\s*00", "+", text), region):
        return number
    digits = "".join(str(unicodedata.digit(one)) for one in text if one.isdigit())
    return digits if len(digits) >= DIGITS_LEAST else None


@lru_cache(maxsize=4096)
def _e164(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def normal_address(value: Any) -> str | None:
    """Return street and postal code without what people write in different ways; None without either."""
    if not isinstance(value, Mapping):
        return None
    street, code = _letters(value.get("line_1")), _letters(value.get("postal_code"))
    return "|".join((street, _letters(value.get("line_2")), code)) if street and code else None


def _mailbox(name: str, mailboxes: Mailboxes) -> str:
    if mailboxes.ignores_tag:
        name = name.partition("+")[0]
    if mailboxes.ignores_dots:
        name = name.replace(".", "")
    return name.replace(".", "-") if mailboxes.dots_are_hyphens else name


def _domain(text: str) -> str:
    domain = text.rstrip(".")
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain


def _letters(value: Any) -> str:
    """Return the letters and digits of a text, without case and accents."""
    plain = unicodedata.normalize("NFKD", str(value or "").casefold())
    return "".join(one for one in plain if one.isalnum())


def _text(value: Any) -> str | None:
    """Return what was sent as text, numbers as their digits; None for what is neither, or far too long."""
    if type(value) is int and abs(value) < 10**LONGEST:
        value = str(value)
    return value.strip() or None if isinstance(value, str) and len(value) <= LONGEST else None
