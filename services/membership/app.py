"""The only place where the membership service is built."""

from functools import partial

from services.house import build
from services.membership.api.app import create_http
from services.membership.consumers import SUBSCRIPTIONS
from services.membership.repository import MembershipUnitOfWork
from services.membership.settings import MembershipSettings
from shared.runtime.clusters import load_clusters
from shared.runtime.service import Service


def create_app(settings: MembershipSettings) -> Service:
    """The service, ready to run; nothing is connected yet. Raises ClustersFileError."""
    clusters = load_clusters(settings.clusters_file)
    return build(
        "membership",
        settings,
        SUBSCRIPTIONS,
        partial(MembershipUnitOfWork, clusters=clusters),
        partial(create_http, settings, clusters),
    )
