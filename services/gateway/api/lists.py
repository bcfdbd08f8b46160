"""Many members: pages, counts, and how many each further filter would leave."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Annotated, Any

from annotated_types import Ge
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from services.gateway.api.member_responses import Page
from services.gateway.api.statistics import names_of
from services.gateway.auth.caller import Caller
from services.gateway.context import GatewayContext, answer
from services.gateway.cursors import cursor_in_list, position_in_list
from services.gateway.dependencies import After, Context, KnownCluster, Reader, check_cluster
from services.membership.rows import Rows
from services.membership.views import lists
from services.membership.views.facets import Facets, facets
from services.membership.views.lists import Filters, Sort
from services.membership.views.matches import EXACT, Matched, matches
from shared.runtime.clock import PARIS

MOST_EXACT = 20
"""Members that the first page of a search names as exact: one, mostly."""

_Day = Annotated[date, Ge(date(1970, 1, 1))]
"""Of year 1 midnight in France is of a year that UTC has no name for."""

router = APIRouter(tags=["members"])

Code = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]+$")]


async def filters(
    context: Context,
    search: Annotated[
        str,
        Query(
            max_length=200,
            description="words of the name, brand or town, or a SIREN; accents are ignored. Staff also search by "
            "e-mail address, phone number, a former system's id (`B-7`, `numelink/B-7`) and contact's name",
        ),
    ] = "",
    cluster: KnownCluster = None,
    lineage: Code = None,
    departement: Annotated[str | None, Query(pattern=r"^[0-9][0-9AaBb][0-9]?$", description="69, 2A, 974")] = None,
    paid_up: Annotated[bool | None, Query(description="has paid for today, or owes nothing")] = None,
    active: Annotated[bool | None, Query(description="has a membership that has not ended")] = None,
    changed_since: Annotated[_Day | None, Query(description="what is shown of it changed on this day or later")] = None,
) -> Filters:
    """Which members are asked for. Raises RequestValidationError for a cluster that there is not."""
    known = check_cluster(context, cluster)
    since = None if changed_since is None else datetime.combine(changed_since, time.min, PARIS)
    return Filters(search, known, lineage, departement and departement.upper(), paid_up, active, since)


Chosen = Annotated[Filters, Depends(filters)]
Order = Annotated[
    Sort, Query(description="`paid_until`: the earliest first, and those who never paid last; `changed`: newest first")
]


@router.get("/members", response_model=Page)
async def members(
    context: Context,
    caller: Reader,
    chosen: Chosen,
    sort: Order = "name",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    after: After = None,
    total: Annotated[bool, Query(description="count them all too")] = False,
    facets: Annotated[bool, Query(description="count what each other option of a filter would leave")] = False,
) -> Response:
    """Members in pages. By name, what is added while one reads on makes nothing appear twice or vanish.

    For staff, `matched` says what else of a member is what was searched for. The first page names in `exact` those
    that an e-mail address, a phone number or a former id leads to, wherever they stand in the list.
    """
    chosen = sought_by(caller, chosen)
    today, position = context.clock.today(), position_in_list(after, sort)
    matched = await matched_by(context, context.pool, caller, chosen)
    members = await lists.members(context.pool, chosen, today, after=position, limit=limit + 1, ids=matched, sort=sort)
    page = members[:limit]
    following = cursor_in_list(lists.position(page[-1], sort)) if len(members) > limit else None
    content: dict[str, Any] = {"items": [_listed(item, matched) for item in page], "next": following}
    if position is None and (exact := {member for member, how in matched.items() if how in EXACT}):
        leading = await lists.members_of(context.pool, chosen, today, exact, MOST_EXACT)
        content["exact"] = [_listed(item, matched) for item in leading]
    if facets:
        counted = await _facets(context, chosen, today, matched)
        content |= {"total": counted.total, "facets": _named(context, counted)}
    elif total:
        content["total"] = await _total(context, chosen, today, matched)
    return answer(content)


def sought_by(caller: Caller, chosen: Filters) -> Filters:
    """The same filters; whoever may not read persons' data finds no company by the names of its people."""
    return chosen if caller.may("read-persons") else replace(chosen, of_companies=True)


async def matched_by(context: GatewayContext, rows: Rows, caller: Caller, chosen: Filters) -> Mapping[str, Matched]:
    """Members by what only those may search for who may read persons' data."""
    if not lists.searches(chosen) or not caller.may("read-persons"):
        return {}
    return await matches(rows, chosen.search, context.policy.clusters)


def _listed(item: dict[str, Any], matched: Mapping[str, Matched]) -> dict[str, Any]:
    shown = {name: value for name, value in item.items() if name != "sort_key"}
    return shown | {"matched": matched[item["id"]]} if item["id"] in matched else shown


async def _total(context: GatewayContext, chosen: Filters, today: date, ids: Collection[str]) -> int:
    if lists.is_kept(chosen):
        return (await _facets(context, chosen, today, ids)).total
    return await lists.count_members(context.pool, chosen, today, ids)


async def _facets(context: GatewayContext, chosen: Filters, today: date, ids: Collection[str]) -> Facets:
    if lists.is_kept(chosen):
        return facets(await context.groups.latest(context.pool, today), chosen)
    return facets(await lists.matching_groups(context.pool, chosen, today, ids), chosen)


def _named(context: GatewayContext, counted: Facets) -> dict[str, Any]:
    """The counts with what each code is called; a cluster or lineage that nobody is left in has 0."""
    names, counts = names_of(context), counted.counts
    return {
        "clusters": _options(counts["cluster"], names["cluster"], everyone=True),
        "lineages": _options(counts["lineage"], names["lineage"], everyone=True),
        "departements": _options(counts["departement"], names["departement"]),
        "paid_up": {"yes": counts["paid_up"][True], "no": counts["paid_up"][False]},
        "active": {"yes": counts["active"][True], "no": counts["active"][False]},
    }


def _options(
    counts: Counter[str | bool | None], names: Mapping[str, str], *, everyone: bool = False
) -> list[dict[str, Any]]:
    codes = {str(code) for code in counts if code is not None} | (set(names) if everyone else set())
    return [{"code": code, "name": names.get(code), "members": counts[code]} for code in sorted(codes)]
