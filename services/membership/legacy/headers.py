"""Under which header a product's file says a field: so that people are told of a column by the name that they see."""

from datetime import date
from functools import lru_cache
from typing import Any, Final

from schemas.membership import MemberRecorded, Subscription
from services.membership.legacy import PRODUCTS
from services.membership.legacy.lines import with_extra

_SAMPLES: Final[dict[str, Any]] = {
    "subscriptions": (Subscription(subscription_id="?", starts_on=date(2020, 1, 2)),),
    "opt_outs": ("bulk-email",),
    "status": "ended",
    "exempt": True,
    **dict.fromkeys(("created_on", "modified_on", "member_since", "paid_until", "ended_on"), date(2020, 1, 2)),
}
_NOBODY: Final = MemberRecorded(record_id="?", version=0, name="?")


@lru_cache(maxsize=1_024)
def header_of(product: str, field: str) -> str | None:
    """The first column that changes when a record with this field is written; None where there is none of its own."""
    kind = next((item for item in PRODUCTS if item.name == product), None)
    if kind is None or field not in MemberRecorded.model_fields:
        return None
    record = _NOBODY.model_copy(update={field: _SAMPLES.get(field, "?")})
    without, line = (with_extra(kind.write(fact, ()))[0] for fact in (_NOBODY, record))
    empty = dict(without)
    return next((column.header.strip() for column, written in line if written and not empty.get(column)), None)
