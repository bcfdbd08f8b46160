"""What a source record comes to in its cluster: the understood values as one JSON object, and its keys for linking."""

from dataclasses import dataclass
from typing import Any

from schemas.membership import MemberRecorded
from services.membership.normalisation.company_names import sort_key
from services.membership.normalisation.data_quality import REPAIRS
from services.membership.normalisation.normalise import understand
from shared.runtime.clusters import Cluster

_VALUES = (
    "siren", "siret", "vat", "naf", "naf_nomenclature", "email", "phone", "mobile",
    "postcode", "departement", "country",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """``document`` holds what was understood, without what was not there; see :mod:`survivorship` for its use."""

    siren: str | None
    same_as: str | None
    name_key: str
    document: dict[str, Any]


def meaning(fact: MemberRecorded, cluster: Cluster | None) -> Meaning:
    """Pure. The lineage is the record's own, else that of the cluster which covers its département."""
    understood = understand(fact)
    values = {name: value for name in _VALUES if (value := getattr(understood, name))}
    lineage = fact.lineage or (cluster.lineage_in(understood.departement) if cluster else None)
    document = {
        **values,
        "website": understood.domain,
        "brand_key": understood.brand_key,
        "sort_key": sort_key(fact.name),
        "search_text": understood.search_text,
        "lineage": lineage,
        "problems": [{"field": problem.field, "code": problem.code} for problem in understood.problems],
        "problem_fields": sorted({problem.field for problem in understood.problems if problem.code not in REPAIRS}),
    }
    same_as = fact.same_as if fact.same_as != fact.record_id else None
    return Meaning(understood.siren, same_as, understood.name_key, {k: v for k, v in document.items() if v})
