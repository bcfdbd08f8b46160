"""What the operators configure, as far as consolidation goes by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.membership.matching.weights import Weights
from services.membership.views.rules import SurvivorshipRules
from shared.runtime.clusters import Cluster


@dataclass(frozen=True, slots=True)
class Policy:
    """``paid_twice_since`` is the first day for which two dues are a conflict; None means that all days count."""

    clusters: Mapping[str, Cluster]
    weights: Weights
    rules: SurvivorshipRules
    paid_twice_since: date | None = None
