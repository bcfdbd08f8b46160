"""What documents must be issued for a period so that they say what is owed."""

from asyncio import to_thread
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_grids import Grid
from services.billing.documents.draft import Draft, drafts_of
from services.billing.documents.repository import issued_lines
from services.billing.documents.trial import unprintable
from services.billing.dues.case import Key
from services.billing.dues.differences import IssuedLine, Proposal, differences
from services.billing.dues.owed import MONTHS, Owed, owed, period_of
from services.billing.dues.reasons import Reason
from services.billing.fees.pricing import Price
from services.billing.fees.repository import grids
from services.billing.issuers.issuer import Settings
from services.billing.members.member import KnownMember
from services.billing.usecases.cases import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposals:
    """Drafts that can be issued, those that cannot yet, and the prices that are fixed once they are."""

    drafts: list[Draft]
    held_back: list[tuple[Key, str]]
    doubts: list[tuple[Key, Reason]]
    prices: Mapping[Key, tuple[str, Price]]
    """By record the grid and the price at which it would be billed."""
    theirs: list[str]
    """Clusters whose former system still bills some of the members; none of these is billed here."""

    @property
    def digest(self) -> bytes:
        """Of all that would be issued: whoever approves a run approves just this."""
        return blake2b(orjson.dumps([draft.as_json() for draft in self.drafts]), digest_size=16).digest()


class Change(NamedTuple):
    """One difference between owed and issued: whose, and the documents that it becomes."""

    member: KnownMember
    proposal: Proposal
    drafts: list[Draft]


async def proposals(
    connection: AsyncConnection, period: Period, settings: Settings, theirs: Collection[str] = ()
) -> Proposals:
    """The difference between owed and issued, for every member of the period.

    A member with a record in one of ``theirs`` is held back whole: that former system may bill it for the same days.
    """
    issued, known = await _issued(connection, period)
    drafts: list[Draft] = []
    doubts: list[tuple[Key, Reason]] = []
    prices: dict[Key, tuple[str, Price]] = {}
    members, refused = _ours(period.members, theirs)
    for member in members:
        for item in _items(period, member, issued):
            if item.doubt:
                doubts.append((item.key, item.doubt))
            made = [
                draft
                for change in _changes(period, settings, member, item, issued.get(item.key, ()), known)
                for draft in change.drafts
            ]
            if made and item.price:
                prices[item.key] = period.grid_of(member, item.key)[0], item.price
            drafts += made
    bad = await to_thread(unprintable, [text for draft in drafts for text in draft.texts])
    able = [draft for draft in drafts if not draft.problem and bad.isdisjoint(draft.texts)]
    held_back = refused + [
        (draft.key, draft.problem or f"{draft.key} holds a character that the page's font lacks: write it otherwise")
        for draft in drafts
        if draft not in able
    ]
    refused_by = sorted({key.cluster for key, _ in refused} & set(theirs))
    return Proposals(drafts=able, held_back=held_back, doubts=doubts, prices=prices, theirs=refused_by)


def _ours(members: Sequence[KnownMember], theirs: Collection[str]) -> tuple[list[KnownMember], list[tuple[Key, str]]]:
    """Members that are billed here alone; and the records of the others, with why they are not."""
    ours: list[KnownMember] = []
    refused: list[tuple[Key, str]] = []
    for member in members:
        there = sorted({f"{key.cluster}/billing" for key in member.keys} & {f"{name}/billing" for name in theirs})
        if there:
            why = f"{', '.join(there)} still bills this member: move it over first (traboule cutover switch)"
            refused += [(key, why) for key in member.keys]
        else:
            ours.append(member)
    return ours, refused


def _items(period: Period, member: KnownMember, issued: Mapping[Key, Sequence[IssuedLine]]) -> list[Owed]:
    """What each record owes; nothing for one that owes no more, but was billed."""
    case = period.case(member)
    items = {item.key: item for item in owed(case)}
    for key in member.keys:
        if key in issued and key not in items:
            items[key] = Owed(key, period_of(case), (), (), (Reason("no-member"),))
    return [items[key] for key in sorted(items)]


async def changes(connection: AsyncConnection, period: Period, settings: Settings) -> list[Change]:
    """Every difference between owed and issued, with its reasons, whoever bills the member now."""
    issued, known = await _issued(connection, period)
    return [
        change
        for member in period.members
        for item in _items(period, member, issued)
        for change in _changes(period, settings, member, item, issued.get(item.key, ()), known)
    ]


async def _issued(
    connection: AsyncConnection, period: Period
) -> tuple[Mapping[Key, Sequence[IssuedLine]], Mapping[str, Grid]]:
    """What stands of the period, and every grid by which it may have been billed."""
    issued = await issued_lines(connection, period.issuer.code, period.first)
    return issued, {each.grid_id: each.grid for each in await grids(connection, period.issuer.code)}


def _changes(
    period: Period,
    settings: Settings,
    member: KnownMember,
    item: Owed,
    issued: Sequence[IssuedLine],
    known: Mapping[str, Grid],
) -> list[Change]:
    # A line is called, and taxed, as the grid says by which it was billed first.
    fixed = period.frozen.get(item.key)
    grid = known[fixed[0]] if fixed else period.grid_of(member, item.key)[1]
    units = 12 // MONTHS[period.grid.prorata]
    document = member.documents[item.key]
    buyer = document.get("own") or document.get("shown") or {}
    return [
        Change(member, proposal, drafts_of(proposal, grid, settings, buyer, issued))
        for proposal in differences(item, issued, units)
    ]
