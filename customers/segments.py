"""The segments of a project, kept in this process by the version of the definitions, and who is in them."""

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.db.models import Count as Aggregate
from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import MD5, Cast

from customers.membership import CustomerFilter, Needs, parse_filter
from customers.models import Customer, Segment, SegmentMember
from customers.people import people_of, person_at_checkout
from customers.places import with_shapes
from customers.preselection import preselect
from customers.selectors import customers_for_wire
from promoengine.core.ids import parse_public_id, public_id
from promoengine.core.models import Project
from promoengine.core.services.definitions import current_version
from promoengine.engine.operators import Moment

PROJECTS_KEPT, BATCH, ASKED_MAX = 100, 1000, 5000


@dataclass(frozen=True, slots=True)
class FilteredSegment:
    """A segment by a filter, ready to be asked."""

    key: uuid.UUID
    name: str
    is_auto_update: bool
    filter: CustomerFilter

    @property
    def public_id(self) -> str:
        return public_id(Segment.prefix, self.key)


@dataclass(frozen=True, slots=True)
class Segments:
    """The segments of a project at a version of its definitions; of static ones, whether there are any.

    `tracked` are the names of the custom events that auto-update ones ask for.
    """

    version: int
    filtered: tuple[FilteredSegment, ...]
    auto_update: tuple[FilteredSegment, ...]
    tracked: frozenset[str]
    has_static: bool

    @property
    def needs(self) -> Needs:
        """What their filters ask that is not read with a customer anyway."""
        return Needs.of(segment.filter for segment in self.filtered)


@dataclass(frozen=True, slots=True)
class Count:
    """How many customers a filter matches, or about how many."""

    customers: int
    is_estimate: bool


_known: dict[uuid.UUID, Segments] = {}


def segments_at(project: Project, version: int) -> Segments:
    """Return the project's segments: two queries where they are not kept yet, none otherwise."""
    known = _known.get(project.pk)
    if known is not None and known.version == version:
        return known
    if len(_known) >= PROJECTS_KEPT:
        _known.clear()
    rows = Segment.objects.filter(project=project)
    filtered = tuple(map(filtered_segment, rows.exclude(type=Segment.Type.STATIC).order_by("pk")))
    auto_update = tuple(segment for segment in filtered if segment.is_auto_update)
    made = _known[project.pk] = Segments(
        version,
        filtered,
        auto_update,
        Needs.of(segment.filter for segment in auto_update).events,
        rows.filter(type=Segment.Type.STATIC).exists(),
    )
    return made


def likely_version(project: Project) -> int:
    """Return the newest version that this process has heard of, which costs nothing and may be old."""
    known = _known.get(project.pk)
    return max(project.definitions_version, known.version if known else 0)


def filtered_segment(row: Segment) -> FilteredSegment:
    """Return a segment that is not static, ready to be asked."""
    is_auto_update = row.type == Segment.Type.AUTO_UPDATE
    asked = parse_filter(with_shapes(row.project_id, row.filter))
    return FilteredSegment(row.pk, row.name, is_auto_update, asked)


def segments_of(
    project: Project, customer: Customer | None, sent: Mapping[str, Any], *, version: int, at: Moment
) -> frozenset[str]:
    """Return the public ids of the segments that the customer of a checkout is in.

    `sent` are published fields that lie over the stored ones. Listed segments are looked up; filters are
    asked, so that the answer is right on any day, and for one who is not stored yet, too. At most three
    queries, and none in a project without segments.
    """
    segments = segments_at(project, version)
    found: set[str] = set()
    if customer is not None and segments.has_static:
        static = SegmentMember.objects.filter(customer=customer, segment__type=Segment.Type.STATIC)
        found.update(public_id(Segment.prefix, key) for key in static.values_list("segment_id", flat=True))
    if segments.filtered:
        person = person_at_checkout(customer, sent, segments.needs, now=at.now)
        found.update(one.public_id for one in segments.filtered if one.filter.matches(person, at))
    return frozenset(found)


def named_segments_of(
    project: Project, customer: Customer | None, sent: Mapping[str, Any], *, at: Moment
) -> list[Segment]:
    """Return the segments that a customer is in now, the newest first."""
    found = segments_of(project, customer, sent, version=current_version(project), at=at)
    keys = [key for one in found if (key := parse_public_id(Segment.prefix, one))]
    return list(Segment.objects.filter(project=project, pk__in=keys).order_by("-created_at", "-pk"))


def customers_in(
    project: Project, rows: QuerySet[Customer], segment: Segment, at: Moment
) -> QuerySet[Customer]:
    """Return those of the customers that are in a segment; those in doubt about a passive one are asked."""
    if segment.type != Segment.Type.PASSIVE:
        members = SegmentMember.objects.filter(segment=segment)
        return rows.filter(pk__in=members.values("customer_id"))
    asked = filtered_segment(segment).filter
    selection = preselect(asked, at)
    in_doubt = selection.mark(customers_for_wire(project)).filter(surely=False, maybe=True)
    matching = list(_matching(in_doubt.order_by("pk"), asked, at))
    return selection.mark(rows).filter(Q(surely=True) | Q(pk__any_of=matching))


def count_matching(project: Project, asked: CustomerFilter, at: Moment) -> Count:
    """Return how many customers a filter matches now; where very many must be asked, by a sample of them."""
    rows = preselect(asked, at).mark(customers_for_wire(project).order_by())
    counted = rows.aggregate(
        sure=Aggregate("pk", filter=Q(surely=True)),
        in_doubt=Aggregate("pk", filter=Q(surely=False, maybe=True)),
    )
    sure, many = counted["sure"], counted["in_doubt"]
    in_doubt = rows.filter(surely=False, maybe=True)
    if many <= ASKED_MAX:
        return Count(sure + sum(1 for _ in _matching(in_doubt.order_by("pk"), asked, at)), is_estimate=False)
    # By a digest of the key, because the key itself begins with the time of its making.
    sample = in_doubt.annotate(drawn=MD5(Cast("pk", TextField()))).order_by("drawn")[:ASKED_MAX]
    found = sum(1 for _ in _matching(sample, asked, at))
    return Count(sure + round(many * found / ASKED_MAX), is_estimate=True)


def _matching(rows: QuerySet[Customer], asked: CustomerFilter, at: Moment) -> Iterator[uuid.UUID]:
    everybody = rows.iterator(chunk_size=BATCH)
    while customers := list(islice(everybody, BATCH)):
        people = people_of(customers, asked.needs)
        for customer, person in zip(customers, people, strict=True):
            if asked.matches(person, at):
                yield customer.pk
