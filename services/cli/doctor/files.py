"""The files that services start with: can they be read, and do they make sense?"""

from __future__ import annotations

from collections.abc import Mapping

from services.cli.doctor.findings import Finding, Findings
from services.membership.policy import policy_of
from services.membership.settings import MembershipSettings
from services.membership.views.rules import RulesFileError
from shared.runtime.clusters import ClustersFileError, load_clusters
from shared.runtime.settings import ServiceSettings


def examine(services: Mapping[str, ServiceSettings]) -> list[Finding]:
    """The clusters file and, where membership is configured, the one of survivorship."""
    ours = Findings("house")
    path = next(iter(services.values())).clusters_file
    try:
        clusters = load_clusters(path)
    except ClustersFileError as error:
        return [ours.fail("clusters file", str(error), "mend the file, then restart the services")]
    findings = [ours.ok("clusters file", f"{path}: {', '.join(clusters)}")]
    membership = services.get("membership")
    if isinstance(membership, MembershipSettings):
        try:
            policy_of(membership)
        except (RulesFileError, ClustersFileError) as error:
            findings.append(ours.fail("survivorship file", str(error), "mend the file, then restart membership"))
        else:
            findings.append(ours.ok("survivorship file", str(membership.survivorship_file)))
    return findings
