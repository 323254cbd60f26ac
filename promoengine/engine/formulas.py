"""Dynamic amounts by formula: `IF(ORDER_AMOUNT > 100;15;5)`, read by a parser of its own and never by eval.

The language is that of the published dynamic formula reference. Money in formulas is in major units.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from promoengine.engine import formula_functions  # noqa: F401 - registers them
from promoengine.engine.expressions import (
    FUNCTIONS,
    Call,
    Chain,
    Literal,
    Node,
    Operand,
    Operands,
    Scope,
    Value,
)
from promoengine.engine.values import date_of, moment_of, number_of

__all__ = ["Formula", "InvalidFormula", "Operands", "Value", "parse_formula"]

LENGTH_MAX = 4000
DEPTH_MAX = 32  # of brackets; each takes some ten frames of Python's stack
DIGITS_MAX = 40

TOKEN = re.compile(
    r"""(?P<space>\s+)
    | (?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)
    | (?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    | (?P<symbol>>=|<=|<>|==|!=|[-+*/%\u00f7\u00d7\u2212<>=\u2264\u2265\u2260();,]|[xX](?![A-Za-z_]))
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)""",
    re.VERBOSE | re.DOTALL,
)
ESCAPED = re.compile(r"\\(.)", re.DOTALL)
SPELLINGS = {
    "x": "*",
    "X": "*",
    "\u00d7": "*",
    "\u00f7": "/",
    "\u2212": "-",
    "==": "=",
    "<>": "!=",
    "\u2264": "<=",
    "\u2265": ">=",
    "\u2260": "!=",
    "ISNOT": "IS_NOT",
    "STARTSWITH": "STARTS_WITH",
    "ENDSWITH": "ENDS_WITH",
}
SUM, PRODUCT = ("+", "-"), ("*", "/", "%")
ARRAYS = ("IN_ARRAY", "NOT_IN_ARRAY")
COMPARISONS = (
    *("=", "!=", "<", ">", "<=", ">="),
    *("IS", "IS_NOT", "CONTAINS", "STARTS_WITH", "ENDS_WITH", *ARRAYS),
    *("DATE_IS", "DATE_IS_NOT", "IS_AFTER", "IS_BEFORE"),
)
CONSTANTS = {"TRUE": True, "FALSE": False}
WITHOUT_BRACKETS = ("TODAY", "NOW")
DATES = ("DATE", "DATE_TIME")

LINES = ("ORDER_ITEM", "CHEAPEST_ORDER_ITEM", "MOST_EXPENSIVE_ORDER_ITEM")
PLAIN_OPERANDS = frozenset(
    [f"{line}_{name}" for line in LINES for name in ("PRICE", "AMOUNT", "SUBTOTAL", "UNITS_QUANTITY")]
    + ["ORDER_AMOUNT", "ORDER_INITIAL_AMOUNT", "ORDER_TOTAL_AMOUNT"]
    + ["ORDER_ITEMS_QUANTITY", "ORDER_UNITS_QUANTITY"]
    + ["VOUCHER_REDEMPTION_QUANTITY", "VOUCHER_REDEEMED_QUANTITY", "VOUCHER_PUBLISH_COUNT"]
    + ["VOUCHER_START_DATE", "VOUCHER_EXPIRATION_DATE"]
    + ["PROMOTION_TIER_START_DATE", "PROMOTION_TIER_EXPIRATION_DATE", "CUSTOMER_BIRTHDATE"]
)
KEYED_OPERANDS = frozenset(
    [f"{line}_{name}" for line in LINES for name in ("METADATA", "PRODUCT_METADATA")]
    + ["ORDER_METADATA", "CUSTOMER_METADATA", "REDEEMABLE_METADATA", "REDEMPTION_METADATA"]
    + ["PUBLICATION_METADATA", "CUSTOM_EVENT_METADATA"]
)
NAMES = sorted(
    {name for name in FUNCTIONS if name.isupper()}
    | PLAIN_OPERANDS
    | KEYED_OPERANDS
    | {*CONSTANTS, "SWITCH_CASE"}
)


class InvalidFormula(ValueError):
    """A formula that can't be read; the text says what is wrong at `position`, counted from 0."""

    def __init__(self, problem: str, position: int) -> None:
        super().__init__(problem)
        self.position = position


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as written, the operands it asks for, and what it computes."""

    text: str
    needs: frozenset[str]
    tree: Node = field(repr=False)

    def evaluate(self, operands: Operands, *, now: datetime, zone: ZoneInfo) -> Value | None:
        """Return the value, None where it can't be computed.

        `operands` answers a name and its arguments with a value, None where it is missing.
        """
        return self.tree.evaluate(Scope(operands, now, zone))

    def number(self, operands: Operands, *, now: datetime, zone: ZoneInfo) -> Decimal | None:
        """Return the value if it is a number, or a text that spells one."""
        return number_of(self.evaluate(operands, now=now, zone=zone))


def parse_formula(text: str) -> Formula:
    """Read a formula.

    Raises:
        InvalidFormula: it is not written in the language, or is too long or too deep.
    """
    if len(text) > LENGTH_MAX:
        raise InvalidFormula(f"a formula can have at most {LENGTH_MAX} characters", LENGTH_MAX)
    parser = _Parser(list(_tokens(text)))
    tree = parser.read_all()
    return Formula(text, frozenset(parser.needs), tree)


@dataclass(frozen=True, slots=True)
class _Token:
    """A number, text, symbol, name or the end; `means` is how the parser knows it."""

    kind: str
    means: str
    text: str
    position: int


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while position < len(text):
        found = TOKEN.match(text, position)
        if found is None:
            quoted = text[position] in "\"'"
            problem = "this text has no closing quote" if quoted else f"{text[position]} can't be read here"
            raise InvalidFormula(problem, position)
        kind, written = found.lastgroup or "", found.group()
        if kind != "space":
            means = written.upper() if kind == "name" else written
            yield _Token(kind, SPELLINGS.get(means, means), written, position)
        position = found.end()
    yield _Token("end", "", "", len(text))


class _Parser:
    """Reads tokens by recursive descent: or, and, not, comparison, sum, product, sign, value."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.index = 0
        self.depth = 0
        self.needs: set[str] = set()

    @property
    def next(self) -> _Token:
        return self.tokens[self.index]

    def take(self) -> _Token:
        token = self.next
        self.index += 1
        return token

    def is_next(self, *means: str) -> bool:
        return self.next.kind in ("symbol", "name") and self.next.means in means

    def skip(self, symbol: str) -> None:
        if not self.is_next(symbol):
            raise InvalidFormula(f"{symbol} is missing here", self.next.position)
        self.index += 1

    def read_all(self) -> Node:
        node = self.expression()
        if self.next.kind != "end":
            raise InvalidFormula(f"{self.next.text[:40]} was not expected here", self.next.position)
        return node

    def expression(self) -> Node:
        if self.depth == DEPTH_MAX:
            problem = f"brackets can't be nested more than {DEPTH_MAX} deep"
            raise InvalidFormula(problem, self.next.position)
        self.depth += 1
        node = self.alternatives()
        self.depth -= 1
        return node

    def alternatives(self) -> Node:
        nodes = [self.conjunction()]
        while self.is_next("OR"):
            self.take()
            nodes.append(self.conjunction())
        return nodes[0] if len(nodes) == 1 else Call("OR", tuple(nodes))

    def conjunction(self) -> Node:
        nodes = [self.negation()]
        while self.is_next("AND"):
            self.take()
            nodes.append(self.negation())
        return nodes[0] if len(nodes) == 1 else Call("AND", tuple(nodes))

    def negation(self) -> Node:
        negated = False
        while self.is_next("NOT"):
            self.take()
            negated = not negated
        node = self.comparison()
        return Call("NOT", (node,)) if negated else node

    def comparison(self) -> Node:
        left = self.sum()
        if not self.is_next(*COMPARISONS):
            return left
        name = self.take().means
        if name in ARRAYS and self.is_next("("):
            return Call(name, (left, *self.arguments()))
        return Call(name, (left, self.sum()))

    def sum(self) -> Node:
        first, rest = self.product(), []
        while self.is_next(*SUM):
            rest.append((self.take().means, self.product()))
        return Chain(first, tuple(rest)) if rest else first

    def product(self) -> Node:
        first, rest = self.sign(), []
        while self.is_next(*PRODUCT):
            rest.append((self.take().means, self.sign()))
        return Chain(first, tuple(rest)) if rest else first

    def sign(self) -> Node:
        negative = False
        while self.is_next("-"):
            self.take()
            negative = not negative
        node = self.value()
        return Call("negative", (node,)) if negative else node

    def value(self) -> Node:
        token = self.take()
        if token.kind == "number":
            return self.number(token)
        if token.kind == "text":
            return Literal(ESCAPED.sub(r"\1", token.text[1:-1]))
        if token.kind == "name":
            return self.named(token)
        if token.means != "(":
            raise InvalidFormula("a value is missing here", token.position)
        node = self.expression()
        self.skip(")")
        return node

    def number(self, token: _Token) -> Node:
        if len(token.text) > DIGITS_MAX:
            raise InvalidFormula(f"a number can have at most {DIGITS_MAX} digits", token.position)
        return Literal(Decimal(token.text))

    def named(self, token: _Token) -> Node:
        name = token.means
        if name in CONSTANTS:
            return Literal(CONSTANTS[name])
        if name in PLAIN_OPERANDS or name in KEYED_OPERANDS:
            return self.operand(token)
        if name == "SWITCH":
            return self.switch()
        if name in FUNCTIONS:
            return self.call(token)
        raise InvalidFormula(_unknown(token.text), token.position)

    def operand(self, token: _Token) -> Node:
        name = token.means
        self.needs.add(name)
        arguments = self.arguments() if self.is_next("(") else ()
        if name in PLAIN_OPERANDS and arguments:
            raise InvalidFormula(f"{name} takes no values", token.position)
        keys = tuple(
            node.value for node in arguments if isinstance(node, Literal) and isinstance(node.value, str)
        )
        if name in KEYED_OPERANDS and not len(keys) == len(arguments) == 1:
            raise InvalidFormula(f'{name} needs a key, such as {name}("key")', token.position)
        return Operand(name, keys)

    def call(self, token: _Token) -> Node:
        name = token.means
        first = self.tokens[min(self.index + 1, len(self.tokens) - 1)]
        bare = name in WITHOUT_BRACKETS and not self.is_next("(")
        arguments = () if bare else self.arguments()
        known = FUNCTIONS[name]
        if len(arguments) < known.least or (known.most is not None and len(arguments) > known.most):
            wanted = _amount(known.least, known.most)
            raise InvalidFormula(f"{name} needs {wanted}, and has {len(arguments)}", token.position)
        if name in DATES:
            self.check_date(arguments[0], first.position)
        return Call(name, arguments)

    def check_date(self, node: Node, position: int) -> None:
        if not isinstance(node, Literal):
            return
        found = date_of(node.value)
        if found is None or moment_of(found, ZoneInfo("UTC")) is None:
            raise InvalidFormula('this is no date such as "2026-01-31"', position)

    def arguments(self) -> tuple[Node, ...]:
        self.skip("(")
        if self.is_next(")"):
            self.take()
            return ()
        nodes, separator = [self.expression()], self.next.means
        while self.is_next(";", ","):
            if self.next.means != separator:
                raise InvalidFormula("values are separated by ; or by , but not by both", self.next.position)
            self.take()
            nodes.append(self.expression())
        self.skip(")")
        return tuple(nodes)

    def switch(self) -> Node:
        self.skip("(")
        nodes = [self.expression()]
        self.separator()
        if not self.is_next("SWITCH_CASE"):
            raise InvalidFormula("SWITCH_CASE is missing here", self.next.position)
        while self.is_next("SWITCH_CASE"):
            case = self.take()
            pair = self.arguments()
            if len(pair) != 2:
                problem = f"SWITCH_CASE needs {_amount(2, 2)}, and has {len(pair)}"
                raise InvalidFormula(problem, case.position)
            nodes.extend(pair)
            if not self.is_next("SWITCH_CASE"):
                self.separator()
        nodes.append(self.expression())
        self.skip(")")
        return Call("SWITCH", tuple(nodes))

    def separator(self) -> None:
        self.skip("," if self.is_next(",") else ";")


def _amount(least: int, most: int | None) -> str:
    if most is None:
        return f"at least {least} value{'s' if least > 1 else ''}"
    return f"{least} value{'' if least == 1 else 's'}" if least == most else f"{least} to {most} values"


def _unknown(name: str) -> str:
    if name.upper() == "SWITCH_CASE":
        return "SWITCH_CASE can stand in a SWITCH only"
    near = difflib.get_close_matches(name.upper(), NAMES, n=1)
    return f"{name[:40]} is not known" + (f"; did you mean {near[0]}?" if near else "")
