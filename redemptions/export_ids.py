"""Public ids as the database makes them, which is what `promoengine.core.ids.public_id` returns.

An expression rather than a function: PL/pgSQL takes nearly twice as long, and files have millions of ids.
"""

from promoengine.core.ids import ALPHABET, PAIRS

# Places have four characters each, since products with a limb then fit into 64 bits; the highest has two.
BASE = len(ALPHABET) ** 4
PLACES = 6
LIMBS = 4
PAIR = len(PAIRS)
# Both characters of a pair as one number, found by the number that the pair stands for.
_AS_NUMBERS = ",".join(str(ord(first) << 8 | ord(second)) for first, second in PAIRS)
CHARACTERS = f"'[0:{PAIR - 1}]={{{_AS_NUMBERS}}}'::int[]"


def public_id_sql(prefix: str, key: str) -> str:
    """Return SQL of the public id of a key, null where there is none; each expression stands in it once.

    Each step is a subquery of its own, and OFFSET keeps it one: else what it computes would be written, and
    computed, wherever the next step uses it.
    """
    steps = [
        f"SELECT uuid_send({key}) AS bytes",
        _select({f"limb_{number}": _limb(number) for number in range(LIMBS)}),
        _select({f"sum_{place}": _sum(place) for place in range(PLACES - 1)}),
        _select({"pairs": CHARACTERS} | {f"place_{place}": _place(place) for place in range(PLACES)}),
    ]
    source = ""
    for number, step in enumerate(steps):
        source = f" FROM ({step}{source} OFFSET 0) AS step_{number}"
    characters = " || ".join(
        [
            f"int2send(pairs[place_{PLACES - 1}]::int2)",
            *(
                f"int4send((pairs[place_{place} / {PAIR}] << 16) + pairs[mod(place_{place}, {PAIR})])"
                for place in range(PLACES - 2, -1, -1)
            ),
        ]
    )
    return f"(SELECT {prefix} || '_' || convert_from({characters}, 'UTF8'){source})"


def _select(columns: dict[str, str]) -> str:
    return f"SELECT {', '.join(f'{sql} AS {name}' for name, sql in columns.items())}"


def _limb(number: int) -> str:
    """Return 32 bits of the key, the lowest the first."""
    high, *low = (f"get_byte(bytes, {12 - 4 * number + place})" for place in range(4))
    return f"{high} * 16777216::bigint + ({low[0]} * 65536 + {low[1]} * 256 + {low[2]})"


def _sum(place: int) -> str:
    """Return what the limbs put into a place; the second has what is left of the first, too."""
    factors = {number: (1 << 32 * number) // BASE**place % BASE for number in range(LIMBS)}
    found = " + ".join(f"limb_{number} * {factor}" for number, factor in factors.items() if factor)
    return f"{found} + ({_sum(0)}) / {BASE}" if place == 1 else found


def _place(place: int) -> str:
    return f"mod({_with_carry(place)}, {BASE})"


def _with_carry(place: int) -> str:
    if place < 2:
        return f"sum_{place}"
    left = f"({_with_carry(place - 1)}) / {BASE}"
    return left if place == PLACES - 1 else f"sum_{place} + {left}"
