"""The terms of a session as they are kept: JSON, in the session's row and in the log. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.events.seats.offers import OfferTerms
from services.events.seats.room import Terms
from shared.persistence.database import json_of

_MOMENTS = ("starts_at", "opens_at", "closes_at", "cancel_until")


def terms_json(terms: Terms) -> dict[str, Any]:
    """Moments as RFC 3339 in UTC, spans in whole minutes."""
    moments = {name: getattr(terms, name) for name in _MOMENTS}
    return {
        "capacity": terms.capacity,
        "overbooked": terms.overbooked,
        "shrinks": terms.shrinks,
        "zone": terms.zone,
        "waiting_list": terms.waiting_list,
        "offer_minutes": _minutes(terms.offers.lasts),
        "at_once_minutes": _minutes(terms.offers.at_once_within),
        **{name: moment.isoformat() for name, moment in moments.items() if moment is not None},
    }


def terms_text(terms: Terms) -> str:
    """The same as text, for a statement."""
    return orjson.dumps(terms_json(terms)).decode()


def terms_from(kept: Any) -> Terms:
    """Those that a row or the log keeps."""
    written: Mapping[str, Any] = json_of(kept)
    moments = {name: datetime.fromisoformat(written[name]) for name in _MOMENTS if name in written}
    return Terms(
        capacity=written["capacity"],
        overbooked=written["overbooked"],
        shrinks=written["shrinks"],
        zone=written["zone"],
        waiting_list=written["waiting_list"],
        offers=OfferTerms(
            lasts=timedelta(minutes=written["offer_minutes"]),
            at_once_within=timedelta(minutes=written["at_once_minutes"]),
        ),
        **moments,
    )


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
