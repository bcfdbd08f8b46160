"""What the operators configure, as far as consolidation goes by it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from services.membership.legacy import check_software
from services.membership.matching.weights import Weights, shipped
from services.membership.settings import MembershipSettings
from services.membership.views.rules import SurvivorshipRules, load_rules
from shared.runtime.clusters import Cluster, load_clusters


@dataclass(frozen=True, slots=True)
class Policy:
    """``paid_twice_since`` is the first day for which two dues are a conflict; None means that all days count."""

    clusters: Mapping[str, Cluster]
    weights: Weights
    rules: SurvivorshipRules
    paid_twice_since: date | None = None


def policy_of(settings: MembershipSettings) -> Policy:
    """What the operators configured. Raises ClustersFileError, RulesFileError."""
    clusters = load_clusters(settings.clusters_file)
    check_software(clusters, "membership")
    rules = load_rules(settings.survivorship_file, clusters)
    return Policy(clusters, shipped(), rules, settings.paid_twice_since)
