"""How many members there are in truth: each counted once, however many former systems know it."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query
from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from services.gateway.api.member_responses import Statistics, StatisticsHistory
from services.gateway.context import GatewayContext, answer
from services.gateway.dependencies import READS_MEMBERS, Context
from services.membership.normalisation.places import departements
from services.membership.views.daily_statistics import By, days

router = APIRouter(tags=["statistics"])

DAYS_OF_A_YEAR: Final = 365
MOST_DAYS: Final = 3_660
"""In one answer: ten years."""
_NOBODY = {"members": 0, "active": 0, "paid_up": 0}


@router.get("/statistics", response_model=Statistics, dependencies=READS_MEMBERS)
async def statistics(context: Context) -> Response:
    """Members by cluster, lineage and département. One of two clusters counts in both, and once in all."""
    today = context.clock.today()
    rows = await context.statistics.latest(context.pool, today)
    names = names_of(context)
    return answer(
        {
            "on": today,
            "total": _single(rows, "total"),
            "in_several_clusters": _single(rows, "several-clusters"),
            "clusters": _named(rows, "cluster", names["cluster"], everyone=True),
            "lineages": _named(rows, "lineage", names["lineage"], everyone=True),
            "departements": _named(rows, "departement", names["departement"]),
        }
    )


@router.get("/statistics/history", response_model=StatisticsHistory, dependencies=READS_MEMBERS)
async def statistics_history(
    context: Context,
    first: Annotated[date | None, Query(alias="from", description="the first day; else a year before the last")] = None,
    last: Annotated[date | None, Query(alias="to", description="the last day; else today")] = None,
    by: By = "total",
) -> Response:
    """The statistics of each day, as they were then. They are kept from the day on which this program first ran."""
    end = last or context.clock.today()
    begin = first or date.fromordinal(max(1, end.toordinal() - DAYS_OF_A_YEAR))
    if not 0 <= (end - begin).days <= MOST_DAYS:
        message = f"must not lie before the first day, and at most {MOST_DAYS} days after it"
        raise RequestValidationError([{"loc": ("query", "to"), "msg": message}])
    names = names_of(context).get(by, {})
    items = [
        {"on": row["on"], "code": row["code"], "name": names.get(row["code"] or ""), **_count(row)}
        for row in await days(context.pool, by, begin, end)
    ]
    return answer({"from": begin, "to": end, "by": by, "items": items})


def names_of(context: GatewayContext) -> dict[str, dict[str, str]]:
    """What each code is called, by kind: ``cluster``, ``lineage``, ``departement``."""
    clusters = context.policy.clusters
    return {
        "cluster": {code: cluster.name for code, cluster in clusters.items()},
        "lineage": {item.code: item.name for cluster in clusters.values() for item in cluster.lineages},
        "departement": {code: place.name for code, place in departements().items()},
    }


def _single(rows: list[Mapping[str, Any]], kind: str) -> Mapping[str, Any]:
    return next((_count(row) for row in rows if row["kind"] == kind), _NOBODY)


def _named(
    rows: list[Mapping[str, Any]], kind: str, names: Mapping[str, str], *, everyone: bool = False
) -> list[dict[str, Any]]:
    """Counts by code, in its order, unknown last; ``everyone`` also shows those who have no member yet."""
    counts: dict[str | None, dict[str, Any]] = {code: dict(_NOBODY) for code in names} if everyone else {}
    counts |= {row["key"]: _count(row) for row in rows if row["kind"] == kind}
    return [
        {"code": code, "name": names.get(code) if code else None, **counts[code]}
        for code in sorted(counts, key=lambda code: (code is None, code or ""))
    ]


def _count(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in _NOBODY}
