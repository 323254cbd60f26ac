"""Values that nobody means well by, and bodies that are nearly right but for them."""

import copy

HOSTILE = [
    None,
    True,
    0,
    -1,
    1.5,
    1e300,
    2**31,
    2**63,
    -(2**63),
    "",
    "x" * 300,
    "x" * 12_000,
    "\u202e",
    "\N{PARTY POPPER}",
    "' OR 1=1 --",
    "2026-13-45",
    "9999-12-31T23:59:59Z",
    "P99999999999D",
    "camp_" + "z" * 32,
    "CODE",
    "CARD",
    [],
    [[]],
    [{}],
    ["x"] * 40,
    {},
    {"type": {"a": [1, {"b": None}]}},
]


def spoiled(body, chance, most=3):
    """Return a copy in which one or more values, at most so many, are hostile."""
    body = copy.deepcopy(body)
    for _ in range(chance.randint(1, most)):
        holder, place = chance.choice(list(places(body)))
        holder[place] = copy.deepcopy(chance.choice(HOSTILE))
    return body


def places(body):
    """Yield where values stand: the object or array, and the name or index in it."""
    for place, value in list(body.items() if isinstance(body, dict) else enumerate(body)):
        yield body, place
        if isinstance(value, dict | list) and value:
            yield from places(value)
