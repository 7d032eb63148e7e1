"""The query language of lists: SQL's text after WHERE, turned into a typed tree.

Reading has two steps. A grammar (lark, LALR: it has a stack of its own, so nesting costs no recursion) makes conditions
of the text, as it is written; then each condition is checked against the key's type and its literals become values.
What is not in the grammar (NOT before a condition, functions, arithmetic, further clauses) is no query.

Both steps are bounded: the text's length, how many conditions and values it has, how deep it nests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tenuto_server.errors import BadRequest
from tenuto_server.visibility import attributes
from tenuto_server.visibility.attributes import BOOL, DATETIME, DOUBLE, INT, KEYWORD, STRING, SYSTEM, Scalar
from tenuto_server.visibility.tree import BY_START, AllOf, AnyOf, Field, Leaf, Node, Op, Order, Query

if TYPE_CHECKING:
    from lark import Lark

INVALID: Final = "Invalid query."
# In Cadence's index custom keys lie under this name.
CUSTOM_PREFIX: Final = "Attr."


class UnknownKey(BadRequest):
    """The query names a key that is not registered."""

    def __init__(self, name: str) -> None:
        super().__init__(f'invalid search attribute "{name[:100]}"')
        self.name = name


@dataclass(frozen=True, slots=True)
class QueryLimits:
    """`text_max` in characters; `depth_max` counts ANDs within ORs within ANDs."""

    text_max: int = 32 * 1024
    parentheses_max: int = 500
    conditions_max: int = 200
    values_max: int = 1000
    depth_max: int = 30
    wildcards_max: int = 20


DEFAULT_LIMITS: Final = QueryLimits()

_GRAMMAR: Final = r"""
query: [any] [order]
any: all (_OR all)*
all: condition (_AND condition)*
?condition: "(" any ")"
    | KEY COMPARISON literal                                -> compare
    | KEY [NOT] _IN "(" literal ("," literal)* ")"          -> one_of
    | KEY [NOT] _BETWEEN literal _AND literal               -> between
    | KEY [NOT] _LIKE TEXT                                  -> like
order: _ORDER _BY KEY [DIRECTION]
literal: TEXT | TIME | NUMBER | KEY

_OR.9: /or\b/i
_AND.9: /and\b/i
NOT.9: /not\b/i
_IN.9: /in\b/i
_BETWEEN.9: /between\b/i
_LIKE.9: /like\b/i
_ORDER.9: /order\b/i
_BY.9: /by\b/i
DIRECTION.9: /(asc|desc)\b/i
COMPARISON: "<=" | ">=" | "!=" | "<>" | "<" | ">" | "="
TEXT: /'(?:[^'\\]|''|\\.)*'|"(?:[^"\\]|""|\\.)*"/s
TIME.2: /\d{4}-\d\d-\d\d[Tt][0-9:.]+(?:[Zz]|[+-]\d\d:\d\d)/
NUMBER: /[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/
KEY: /[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*|`[^`]+`/
%ignore /\s+/
"""


class _Literal(NamedTuple):
    """A literal as written: `kind` is TEXT (without quotes), TIME, NUMBER or KEY (a bare word)."""

    kind: str
    text: str


class _Condition(NamedTuple):
    key: str
    operator: str
    literals: Sequence[_Literal]
    negated: bool


class _Group(NamedTuple):
    """Conditions and groups that all hold, or of which one does."""

    conjunction: bool
    parts: Sequence[_Condition | _Group]


_Order = tuple[str, bool]


class _Builder:
    """Makes the raw tree, from the leaves up, as the parser reduces its rules."""

    def query(self, parts: list[Any]) -> tuple[_Condition | _Group | None, _Order | None]:
        return parts[0], parts[1]

    def any(self, parts: list[Any]) -> _Condition | _Group:
        return parts[0] if len(parts) == 1 else _Group(False, parts)

    def all(self, parts: list[Any]) -> _Condition | _Group:
        return parts[0] if len(parts) == 1 else _Group(True, parts)

    def compare(self, parts: list[Any]) -> _Condition:
        key, operator, literal = parts
        return _Condition(_name(key), str(operator), [literal], operator in ("!=", "<>"))

    def one_of(self, parts: list[Any]) -> _Condition:
        return _Condition(_name(parts[0]), "in", parts[2:], parts[1] is not None)

    def between(self, parts: list[Any]) -> _Condition:
        return _Condition(_name(parts[0]), "between", parts[2:], parts[1] is not None)

    def like(self, parts: list[Any]) -> _Condition:
        # A backslash before a wildcard or itself stays: it is the pattern's own.
        literal = _Literal("TEXT", _unquoted(str(parts[2]), r"\\([^%_\\])"))
        return _Condition(_name(parts[0]), "like", [literal], parts[1] is not None)

    def order(self, parts: list[Any]) -> _Order:
        return _name(parts[0]), parts[1] is not None and parts[1].lower() == "desc"

    def literal(self, parts: list[Any]) -> _Literal:
        (token,) = parts
        text = str(token)
        return _Literal(token.type, _unquoted(text, r"\\(.)") if token.type == "TEXT" else text)


def _name(token: str) -> str:
    return str(token).strip("`")


def _unquoted(text: str, escape: str) -> str:
    quote = text[0]
    return re.sub(escape, r"\1", text[1:-1].replace(quote * 2, quote), flags=re.DOTALL)


def prepare() -> Iterator[None]:
    """Does what the first query would have to wait for, in two steps of a tenth of a second: for a moment when nobody waits."""
    import lark  # noqa: F401

    yield
    _parser()
    yield


@cache
def _parser() -> Lark:
    # Loaded with the first query, or by `prepare`: the server must start quickly.
    from lark import Lark

    return Lark(_GRAMMAR, start="query", parser="lalr", maybe_placeholders=True, transformer=_Builder())


def parse(text: str, custom: Mapping[str, int], domain_id: str, limits: QueryLimits = DEFAULT_LIMITS) -> Query:
    """The query that a text asks of a domain; an empty text asks for all runs, the latest start first. `custom` are the
    registered keys with their types. Raises BadRequest."""
    text = text.strip()
    if not text:
        return Query(domain_id, None, BY_START)
    if len(text) > limits.text_max or text.count("(") > limits.parentheses_max or "\0" in text:
        raise BadRequest(INVALID)
    from lark.exceptions import LarkError

    try:
        # With a transformer in the parser, what comes out is the start rule's value.
        made: Any = _parser().parse(text)
    except LarkError:
        raise BadRequest(INVALID) from None
    raw, order = made
    reader = _Reader(custom, limits)
    where = None if raw is None else reader.node(raw, 1)
    return Query(domain_id, where, BY_START if order is None else Order(reader.field(order[0]), order[1]))


class _Reader:
    """The second step, for one query: counts what it reads against the limits."""

    def __init__(self, custom: Mapping[str, int], limits: QueryLimits) -> None:
        self._custom = custom
        self._limits = limits
        self._conditions = 0
        self._values = 0

    def field(self, name: str) -> Field:
        """The key of this name."""
        value_type = SYSTEM.get(name)
        if value_type is None:
            name = name.removeprefix(CUSTOM_PREFIX)
            value_type = self._custom.get(name)
        if value_type is None:
            raise UnknownKey(name)
        return Field(name, value_type)

    def node(self, raw: _Condition | _Group, depth: int) -> Node:
        """The typed form of a condition or group."""
        if depth > self._limits.depth_max:
            raise BadRequest("The query nests too deeply.")
        if isinstance(raw, _Condition):
            return self._leaf(raw)
        parts = tuple([self.node(part, depth + 1) for part in raw.parts])
        return AllOf(parts) if raw.conjunction else AnyOf(parts)

    def _leaf(self, raw: _Condition) -> Node:
        self._conditions += 1
        self._values += len(raw.literals)
        if self._conditions > self._limits.conditions_max or self._values > self._limits.values_max:
            raise BadRequest("The query has too many conditions or values.")
        field = self.field(raw.key)
        operator = raw.operator
        equal = operator in ("=", "!=", "<>")
        if equal and raw.literals[0].kind == "KEY" and raw.literals[0].text.lower() == "missing":
            return Leaf(field, Op.PRESENT, (), not raw.negated)
        if operator == "like":
            return self._like(field, raw)
        values = tuple([_value(field, literal) for literal in raw.literals])
        if operator == "in" or equal:
            if field.type == STRING:
                return _phrases(field, values, raw.negated)
            return Leaf(field, Op.IN, tuple(sorted(set(values))), raw.negated)
        return Leaf(field, Op(operator), values, raw.negated)

    def _like(self, field: Field, raw: _Condition) -> Node:
        if field.type not in (STRING, KEYWORD):
            raise BadRequest(f'LIKE needs a text, and search attribute "{field.name}" is none')
        text = raw.literals[0].text
        pattern = _words_pattern(text) if field.type == STRING else _pattern(text)
        if pattern.count("*") + pattern.count("?") > self._limits.wildcards_max:
            raise BadRequest("The query has a pattern with too many wildcards.")
        return Leaf(field, Op.LIKE, (pattern,), raw.negated)


def _phrases(field: Field, phrases: Sequence[Scalar], negated: bool) -> Node:
    """A text is equal to a phrase where it holds it; an empty phrase only to an empty text."""
    leaves = [
        Leaf(field, Op.LIKE, (f"*{phrase}*",), negated) if phrase else Leaf(field, Op.IN, ("",), negated) for phrase in phrases
    ]
    if len(leaves) == 1:
        return leaves[0]
    return AllOf(tuple(leaves)) if negated else AnyOf(tuple(leaves))


_WILDCARD: Final = re.compile(r"\\(.)|([%_])|(.)", re.DOTALL)


def _pattern(text: str) -> str:
    """SQL's LIKE pattern as `Op.LIKE` writes it: the whole text must fit."""
    made: list[str] = []
    for escaped, wildcard, plain in _WILDCARD.findall(text):
        if wildcard:
            made.append("*" if wildcard == "%" else "?")
        else:
            one = escaped or plain
            made.append(f"[{one}]" if one in "*?[" else one)
    return "".join(made)


def _words_pattern(text: str) -> str:
    """The same for texts that are indexed by their words: without a wildcard at an end, the end is a word's, anywhere in
    the text. Only `%` is a wildcard, for an underscore is part of a word."""
    pieces = [attributes.words(piece) for piece in text.split("%")]
    stripped = [piece.strip() for piece in pieces]
    if not any(stripped):
        return "*"
    body = "*".join(stripped)
    return f"{'' if body.startswith('*') else '* '}{body}{'' if body.endswith('*') else ' *'}"


_CLOSE_STATUS: Final = {
    "COMPLETED": 0, "FAILED": 1, "CANCELED": 2, "TERMINATED": 3, "CONTINUEDASNEW": 4, "TIMEDOUT": 5,
}  # fmt: skip
_EXECUTION_STATUS: Final = {"PENDING": 0, "STARTED": 1, **{name: number + 2 for name, number in _CLOSE_STATUS.items()}}
_NAMES: Final[dict[str, dict[str, int]]] = {"CloseStatus": _CLOSE_STATUS, "ExecutionStatus": _EXECUTION_STATUS}
_TIMES: Final = frozenset({"StartTime", "ExecutionTime", "CloseTime", "UpdateTime", "ScheduledExecutionTime"})
_BOOLEANS: Final = {"true": 1, "false": 0, "1": 1, "0": 0}


def _value(field: Field, literal: _Literal) -> Scalar:
    """A literal as a value of the key's type. Text may quote any value; only true, false and the names of statuses stand
    without quotes."""
    try:
        return _READ[field.type](field, literal)
    except (ValueError, KeyError, OverflowError):
        raise BadRequest(f'invalid value {literal.text[:100]!r} for search attribute "{field.name}"') from None


def _text(field: Field, literal: _Literal) -> Scalar:
    if literal.kind == "KEY":
        raise ValueError("a text needs quotes")
    literal.text.encode()
    return attributes.words(literal.text) if field.type == STRING else literal.text


def _integer(field: Field, literal: _Literal) -> Scalar:
    text = literal.text
    names = _NAMES.get(field.name)
    if names is not None and not text.lstrip("+-").isdigit():
        return names[text.upper().replace("_", "")]
    if literal.kind == "KEY":
        raise ValueError("not a number")
    if field.type == DATETIME or field.name in _TIMES:
        if field.name not in _TIMES and attributes.is_date(text):
            text += "T00:00:00Z"
        return attributes.nanoseconds(text) if "T" in text.upper() else _int64(text)
    return _int64(text)


def _int64(text: str) -> int:
    if len(text) > 30 or not text.isascii():
        raise ValueError("not a 64-bit integer")
    number = int(text.strip())
    if not -(1 << 63) <= number < 1 << 63:
        raise ValueError("not a 64-bit integer")
    return number


def _double(field: Field, literal: _Literal) -> Scalar:
    if literal.kind == "KEY" or len(literal.text) > 400:
        raise ValueError("not a number")
    number = float(literal.text)
    if number - number != 0:
        raise ValueError("not a finite number")
    return number


def _boolean(field: Field, literal: _Literal) -> Scalar:
    return _BOOLEANS[literal.text.lower()]


_READ: Final[dict[int, Callable[[Field, _Literal], Scalar]]] = {
    STRING: _text, KEYWORD: _text, INT: _integer, DATETIME: _integer, DOUBLE: _double, BOOL: _boolean,
}  # fmt: skip
