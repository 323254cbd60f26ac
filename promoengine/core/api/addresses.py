"""Where a request comes from: a browser's address, also behind one's own proxies."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """Return the address of whoever called the outermost proxy of one's own, "" where none is known.

    What stands further left in X-Forwarded-For is the caller's word, and is not read; without a number of
    proxies in the settings none of it is.
    """
    connected = str(request.META.get("REMOTE_ADDR", ""))
    if settings.PROXIES <= 0:
        return connected
    forwarded = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
    named = forwarded[-settings.PROXIES].strip() if len(forwarded) >= settings.PROXIES else ""
    try:
        return str(ip_address(named))
    except ValueError:
        return connected


def neighborhood_of(address: str) -> str:
    """Return what one person is likely to have of addresses: one, or in IPv6 the 2**64 of a network."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped or IPv6Network((int(found) >> 64 << 64, 64)))
    return address
