"""The services' addresses, with passwords at random: ``python -m deploy.kubernetes.secrets | kubectl apply -f -``.

Prints Secrets with new passwords, of which nobody else has a copy. Applying others later changes the passwords: run the
job `traboule-prepare` again then, and restart the services.
"""

from __future__ import annotations

import json
import secrets
from typing import Any

from services import SERVICES
from shared.messaging.topology import OWN_PUBLISHER, VHOST

DATABASE = "traboule-database-rw:5432"
BROKER = "traboule-broker.traboule.svc:5671"
"""With the namespace: KEDA reads this address from its own. The broker's certificate has the name."""
DATABASE_CA = "/etc/traboule/database-ca/ca.crt"


def secret(service: str) -> dict[str, Any]:
    """One service's: where its pods find their database and the broker, and that KEDA asks the broker by TLS."""
    role, user = f"{OWN_PUBLISHER}_{service}", f"{OWN_PUBLISHER}.{service}"
    checked = f"sslmode=verify-full&sslrootcert={DATABASE_CA}"
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": f"traboule-{service}"},
        "stringData": {
            "database-url": f"postgresql://{role}:{secrets.token_urlsafe(24)}@{DATABASE}/{role}?{checked}",
            "broker-url": f"amqps://{user}:{secrets.token_urlsafe(24)}@{BROKER}/{VHOST}",
            "tls": "enable",
            **({"address-keys": f"1:{secrets.token_hex(32)}"} if service == "communications" else {}),
        },
    }


def main() -> None:
    """Print them."""
    print(json.dumps({"apiVersion": "v1", "kind": "List", "items": [secret(item) for item in SERVICES]}))  # noqa: T201


if __name__ == "__main__":
    main()
