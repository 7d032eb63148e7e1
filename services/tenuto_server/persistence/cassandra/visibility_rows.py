"""What the visibility index of Cassandra stores of a run: its bucket, its keys on the time axes, its terms.

**Buckets.** A domain's runs lie in 256 partitions by the first two hexadecimal digits of their run ids, which are random, so
partitions are alike in size; and in the order of run ids, so a walk over the buckets is a walk by run id. Other ids fall
somewhere between and keep the order too.

**Keys.** Storage-attached indexes find numbers in a range. A key is a number made of a slot, a hash of domain and axis, and of a
time on it in units of 2**20 ns (about a millisecond): so a range is of one domain and one axis from the start, and neither needs
an index of its own. Open runs (by start) and closed ones (by close) share a column, as a run is only one of them.

**Terms.** Equality is asked of a set of texts, each made of the domain's hash, a letter and a value: one index for all. Long
values stand there as a digest.

All of it only finds candidates: hashes may collide, times are rounded, and what is found is filtered by `visibility.evaluate`.
Nothing that a query finds may be missed.
"""

from __future__ import annotations

import enum
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from tenuto_server.persistence.cassandra.session import Bound, Statement
from tenuto_server.persistence.cassandra.writing import Write
from tenuto_server.persistence.interface import VisibilityKey
from tenuto_server.persistence.rows import encode_visibility
from tenuto_server.visibility import attributes
from tenuto_server.visibility.attributes import DOUBLE, INT, KEYWORD, Scalar
from tenuto_server.visibility.records import VisibilityRecord

BUCKETS: Final = 256
_BOUNDS: Final = [f"{number:02x}" for number in range(1, BUCKETS)]
# A memo up to this size lies in the body, which queries read of every candidate.
MEMO_INLINE_BYTES_MAX: Final = 4 * 1024
UNIT_BITS: Final = 20
_TIME_BITS: Final = 63 - UNIT_BITS
_SLOT_BITS: Final = 20
_TERM_BYTES_MAX: Final = 200
# Of an attribute with more values than these, no value is a term.
_VALUES_MAX: Final = 8
# As queries number it; it is how most runs end, so its term would find nearly all of them.
COMPLETED: Final = 1


class Axis(enum.Enum):
    """Times by which runs are found in a range: the column, and the letter of its slots."""

    START = ("start_key", "s")
    OPEN = ("state_key", "o")
    CLOSED = ("state_key", "c")
    EXPIRY = ("expiry_key", "x")

    @property
    def column(self) -> str:
        """Where the axis's keys are."""
        return self.value[0]


PUT: Final = Statement(
    "visibility-put",
    "INSERT INTO visibility (domain_id, bucket, run_id, body, memo, memo_size, start_key, state_key, expiry_key, terms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
    partition=(0, 1),
)
REMOVE: Final = Statement(
    "visibility-remove",
    "DELETE FROM visibility USING TIMESTAMP ? WHERE domain_id = ? AND bucket = ? AND run_id = ?",
    partition=(1, 2),
)


def put(record: VisibilityRecord) -> Write:
    """The write of a record. No column is ever null, for a null is a tombstone; of one stamp all columns win or lose
    together."""
    domain_id, memo = record.domain_id, b""
    body = record
    if len(record.memo) > MEMO_INLINE_BYTES_MAX:
        memo, body = record.memo, replace(record, memo=b"")
    is_open = record.close_ns == 0
    bucket, data, terms = bucket_of(record.run_id), encode_visibility(body), terms_of(record)
    bound = Bound(
        PUT,
        (
            domain_id,
            bucket,
            record.run_id,
            data,
            memo,
            len(memo),
            key(domain_id, Axis.START, record.start_ns),
            key(domain_id, Axis.OPEN, record.start_ns) if is_open else key(domain_id, Axis.CLOSED, record.close_ns),
            key(domain_id, Axis.EXPIRY, record.expires_ns) if record.expires_ns > 0 else 0,
            terms,
            record.stamp,
        ),
    )
    return Write(bound, ("visibility", domain_id, bucket), len(data) + len(memo) + sum(map(len, terms)))


def remove(name: VisibilityKey) -> Write:
    """The deletion of a run that is not newer than its stamp."""
    bucket = bucket_of(name.run_id)
    bound = Bound(REMOVE, (name.stamp, name.domain_id, bucket, name.run_id))
    return Write(bound, ("visibility", name.domain_id, bucket), len(name.run_id))


def bucket_of(run_id: str) -> int:
    """Which partition of its domain a run lies in; ascends with the run id."""
    return bisect_right(_BOUNDS, run_id)


@lru_cache(maxsize=4096)
def _slot(domain_id: str, axis: Axis) -> int:
    digest = blake2b(f"{axis.value[1]}{domain_id}".encode(), digest_size=8).digest()
    # Never 0, which is the key of what is not on the axis.
    return 1 + int.from_bytes(digest, "big") % ((1 << _SLOT_BITS) - 1)


@lru_cache(maxsize=1024)
def _prefix(domain_id: str) -> str:
    return blake2b(domain_id.encode(), digest_size=6).hexdigest()


def unit(time_ns: int) -> int:
    """A time as keys hold it; ascends with the time."""
    return min(max(time_ns >> UNIT_BITS, 0), (1 << _TIME_BITS) - 1)


def key_of_unit(domain_id: str, axis: Axis, number: int) -> int:
    """The key of a unit of time on a domain's axis."""
    return _slot(domain_id, axis) << _TIME_BITS | number


def key(domain_id: str, axis: Axis, time_ns: int) -> int:
    """The key of a time on a domain's axis."""
    return key_of_unit(domain_id, axis, unit(time_ns))


def unit_of_key(number: int) -> int:
    """The unit of time of a key."""
    return number & ((1 << _TIME_BITS) - 1)


# --- terms ------------------------------------------------------------------------------------------------------------
def term(domain_id: str, kind: str, *parts: str) -> str:
    """A term. `kind` is w (workflow id), t (workflow type), s (close status but COMPLETED, as the interface numbers it), p (has
    the attribute), m (has more values of the attribute than are terms), k and n (has this text or number as the attribute)."""
    text = "\0".join(parts)
    if len(text) * 4 > _TERM_BYTES_MAX and len(text.encode()) > _TERM_BYTES_MAX:
        # No text is as short as this that has been cut, and of this form.
        text = f"\1{blake2b(text.encode(), digest_size=16).hexdigest()}"
    return f"{_prefix(domain_id)}{kind}{text}"


def terms_of(record: VisibilityRecord) -> set[str]:
    """All terms of a run."""
    domain_id = record.domain_id
    found = {term(domain_id, "w", record.workflow_id), term(domain_id, "t", record.workflow_type)}
    if record.close_ns and record.close_status != COMPLETED:
        found.add(term(domain_id, "s", str(record.close_status)))
    if record.search_attributes:
        found.update(_attribute_terms(domain_id, attributes.entries(record.search_attributes)))
    return found


def _attribute_terms(domain_id: str, entries: Iterable[tuple[str, int, Scalar]]) -> Iterable[str]:
    values: dict[str, set[str]] = {}
    for name, value_type, value in entries:
        held = values.setdefault(name, set())
        one = value_term(domain_id, name, value_type, value)
        if one:
            held.add(one)
    for name, held in values.items():
        yield term(domain_id, "p", name)
        if len(held) > _VALUES_MAX:
            yield term(domain_id, "m", name)
        else:
            yield from held


def value_term(domain_id: str, name: str, value_type: int, value: Scalar) -> str:
    """The term of one value of an attribute, "" where values of its type have none: they are few (BOOL), or asked for in
    ranges (DATETIME) or by their words (STRING)."""
    if value_type == KEYWORD:
        return term(domain_id, "k", name, str(value))
    if value_type in (INT, DOUBLE):
        # Numbers that are equal are one term: a query for DOUBLE finds integers too.
        whole = int(value)
        return term(domain_id, "n", name, str(whole) if whole == value else repr(float(value)))
    return ""


def terms_for(domain_id: str, name: str, value_type: int, values: Sequence[Scalar]) -> list[str]:
    """Of which terms a run has one that has one of these values as the attribute; none where no terms tell."""
    found = [value_term(domain_id, name, value_type, value) for value in values]
    if not all(found):
        return []
    return [*dict.fromkeys(found), term(domain_id, "m", name)]
