"""``python -m deploy.compose.prepare``: databases, roles, broker users, queues, migrations; before the services.

It may run at any time, and does at every ``docker compose up``: what is there stays.
"""

import sys
import time
from pathlib import Path

from deploy.local.errors import NodeError
from deploy.provision import provision
from services.ops.environment import HOUSE_FILE

PASSWORDS = Path("/run/secrets/passwords")
CLUSTERS = Path("/app/deploy/clusters.toml")


def pairs(path: Path) -> dict[str, str]:
    """``name=value`` lines."""
    lines = path.read_text("utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def main() -> int:
    """Exit code 0 when everything is as the program wants it."""
    house, passwords = pairs(HOUSE_FILE), pairs(PASSWORDS)
    began = time.monotonic()
    try:
        provision(
            house["TRABOULE_DATABASE_URL"],
            house["TRABOULE_BROKER_URL"],
            house["TRABOULE_BROKER_MANAGEMENT_URL"],
            clusters_file=CLUSTERS,
            secrets=passwords,
        )
    except NodeError as error:
        print(error, file=sys.stderr)  # noqa: T201 - what `docker compose logs` shows
        return 1
    print(f"databases and broker are ready, in {time.monotonic() - began:.1f} s")  # noqa: T201
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
