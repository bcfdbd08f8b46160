"""What one transaction of membership is made with: what the operators configured."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.ext.asyncio import AsyncConnection

from services.membership.legacy import check_software
from services.membership.matching.weights import shipped
from services.membership.policy import Policy
from services.membership.settings import MembershipSettings
from services.membership.unit_of_work import MembershipUnitOfWork
from services.membership.views.rules import load_rules
from shared.runtime.clusters import load_clusters


def unit_of_work(settings: MembershipSettings) -> Callable[[AsyncConnection], MembershipUnitOfWork]:
    """What makes one transaction of the service. Raises ClustersFileError, RulesFileError."""
    return partial(MembershipUnitOfWork, policy=policy_of(settings))


def policy_of(settings: MembershipSettings) -> Policy:
    """What the operators configured. Raises ClustersFileError, RulesFileError."""
    clusters = load_clusters(settings.clusters_file)
    check_software(clusters, "membership")
    rules = load_rules(settings.survivorship_file, clusters)
    return Policy(clusters, shipped(), rules, settings.paid_twice_since)
