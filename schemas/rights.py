"""Rights: what somebody may do. Each route of the gateway and each operation names one.

Which role has which rights is the gateway's: ``services/gateway/auth/rights.py``.
"""

from typing import Literal

Right = Literal[
    "read-members",
    "read-persons",
    "read-events",
    "read-mailings",
    "decide-identity",
    "set-values",
    "write-records",
    "see-conflicts",
    "see-cutover",
    "decide-late",
    "decide-late-billing",
    "move-systems",
    "note-backup",
    "see-operations",
    "read-parked",
    "replay-parked",
    "edit-parked",
    "see-billing",
    "bill",
    "approve-billing",
    "run-events",
    "send-mailings",
    "inform-members",
    "keep-consents",
    "lift-suppressions",
    "give-access",
    "read-audit",
]
