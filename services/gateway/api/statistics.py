"""How many members there are in truth: each counted once, however many former systems know it."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from services.gateway.api.member_responses import Statistics
from services.gateway.context import answer
from services.gateway.dependencies import READS_MEMBERS, Context
from services.membership.normalisation.places import departements

router = APIRouter(tags=["statistics"])

_NOBODY = {"members": 0, "active": 0, "paid_up": 0}


@router.get("/statistics", response_model=Statistics, dependencies=READS_MEMBERS)
async def statistics(context: Context) -> Response:
    """Members by cluster, lineage and département. One of two clusters counts in both, and once in all."""
    today = context.clock.today()
    rows = await context.statistics.latest(context.pool, today)
    clusters = {code: cluster.name for code, cluster in context.policy.clusters.items()}
    lineages = {
        lineage.code: lineage.name for cluster in context.policy.clusters.values() for lineage in cluster.lineages
    }
    places = {code: place.name for code, place in departements().items()}
    return answer(
        {
            "on": today,
            "total": _single(rows, "total"),
            "in_several_clusters": _single(rows, "several-clusters"),
            "clusters": _named(rows, "cluster", clusters, everyone=True),
            "lineages": _named(rows, "lineage", lineages, everyone=True),
            "departements": _named(rows, "departement", places),
        }
    )


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
