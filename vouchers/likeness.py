"""Codes as people mistype them: O for 0, I and L for 1, other letter case, blanks and dashes, or none.

Read by the pattern of a campaign that has no two characters which people take for each other, what was typed
can be one code alone. So nobody gets another's code, and who guesses has one code a try, as before.
"""

import unicodedata
from collections.abc import Mapping
from typing import Any

from campaigns.models import Campaign
from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from vouchers.check_characters import check_character
from vouchers.codes import CODE_MAX, bare_fragment, code_key
from vouchers.models import Voucher
from vouchers.patterns import PLACE, CodePattern, parse_code_config

LOOKS = str.maketrans({"O": "0", "I": "1", "L": "1"})


def code_meant(project: Project, typed: str) -> Voucher | None:
    """Return the only code that `typed` can be meant for, where none is just that; None for none or several.

    Two queries: of how the project's codes are made, and of the codes that those ways would read.
    """
    if not typed or len(typed) > CODE_MAX:
        return None
    campaigns = Campaign.objects.filter(project=project).present()
    configs = campaigns.exclude(campaign_type=Campaign.CampaignType.PROMOTION)
    read = (
        _read(project, config, typed) for config in configs.order_by().values_list("code_config").distinct()
    )
    keys = {code_key(project, code) for code in read if code}
    if not keys:
        return None
    rows = Voucher.objects.filter(project=project, code_key__in=keys).present().select_related("campaign")
    meant = [row for row in rows if row.campaign and _is_meant(project, row, typed)]
    return meant[0] if len(meant) == 1 else None


def read_by(pattern: CodePattern, typed: str, *, tells_case: bool) -> str | None:
    """Return the code of a pattern that was meant by what was typed, None where it is none or may be two."""
    looks = _looks(pattern.charset, tells_case=tells_case)
    left = list(bare_fragment(typed))[::-1]
    if looks is None:
        return None
    code, random = "", ""
    for sign, is_random in _signs(pattern):
        if not is_random and not bare_fragment(sign):
            code += sign
            continue
        look = _look(left.pop()) if left else None
        if is_random:
            found = looks.get(look)
            random += found or ""
        else:
            found = sign if look == _look(sign) else None
        if found is None:
            return None
        code += found
    if left or (pattern.has_check and check_character(pattern.charset, random[:-1]) != random[-1]):
        return None
    return code


def _signs(pattern: CodePattern) -> list[tuple[str, bool]]:
    """Return the characters of a pattern's codes, each with whether it is a random one."""
    signs = [(sign, False) for sign in pattern.prefix]
    signs += [(sign, sign == PLACE) for sign in pattern.pattern]
    signs += [(PLACE, True)] * pattern.has_check
    return signs + [(sign, False) for sign in pattern.postfix]


def _looks(charset: str, *, tells_case: bool) -> Mapping[str | None, str] | None:
    """Return the characters by what they look like, None where two of them look alike or may be left out."""
    by_look: dict[str | None, str] = {_look(sign): sign for sign in charset}
    told_apart = set(charset if tells_case else charset.upper())
    return by_look if bare_fragment(charset) == charset and len(by_look) == len(told_apart) else None


def _look(sign: str) -> str:
    return unicodedata.normalize("NFKC", sign).upper().translate(LOOKS)


def _is_meant(project: Project, voucher: Voucher, typed: str) -> bool:
    read = _read(project, (voucher.campaign.code_config,), typed)
    return read is not None and code_key(project, read) == voucher.code_key


def _read(project: Project, config: tuple[Any], typed: str) -> str | None:
    try:
        pattern = parse_code_config(config[0])
    except DomainError:
        return None
    return read_by(pattern, typed, tells_case=project.case_sensitive_codes)
