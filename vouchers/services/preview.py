"""What a pattern will come to, before any code is made."""

import math
from dataclasses import dataclass

from promoengine.core.errors import DomainError
from promoengine.core.models import Project
from vouchers.patterns import parse_code_config
from vouchers.services.generate import check_room

SAMPLES = 5
# Below this many bits, codes are found by trying.
SAFE_BITS = 40


@dataclass(frozen=True, slots=True)
class CodesPreview:
    """Sample codes, how many there can be, and how hard one of those asked for is to guess.

    `tries` guesses hit one of the codes on average; where that is too few, `missing_places` more random
    characters make it enough. `problem` says why they can't be made.
    """

    samples: list[str]
    capacity: int
    bits: float
    tries: int
    missing_places: int
    problem: str = ""

    @property
    def is_guessable(self) -> bool:
        return self.bits < SAFE_BITS


def preview_codes(project: Project, *, code_config: object, count: int) -> CodesPreview:
    """Return what `count` codes of the wire's `code_config` would be like.

    Raises:
        InvalidCodeConfig: the pattern can't be read.
    """
    pattern = parse_code_config(code_config)
    capacity, bits = pattern.capacity(project), pattern.guess_bits(project, count)
    of_one_place = math.log2(capacity) / pattern.places
    missing = math.ceil((SAFE_BITS - bits) / of_one_place) if of_one_place else 0
    try:
        check_room(project, pattern, count)
        problem = ""
    except DomainError as refusal:
        problem = refusal.details
    return CodesPreview(
        samples=pattern.generate(SAMPLES),
        capacity=capacity,
        bits=round(bits, 1),
        tries=max(1, capacity // max(count, 1)),
        missing_places=max(0, missing),
        problem=problem,
    )
