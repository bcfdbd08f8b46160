"""``python -m shared.runtime.probe PORT``: exit code 0 if the service on this machine is ready; for health checks."""

import sys
from http.client import HTTPConnection, HTTPException

TIMEOUT_SECONDS = 4.0


def ready(port: int) -> bool:
    """Whether the service on this port of this machine says that it is ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    raise SystemExit(0 if ready(int(sys.argv[1])) else 1)
