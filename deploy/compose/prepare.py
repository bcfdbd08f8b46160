"""``python -m deploy.compose.prepare``, at every ``docker compose up``: see :mod:`deploy.provisioning.prepare_job`.

Former systems and staff tools whom the broker does not know get the password that ``secrets.sh`` made for them.
"""

from pathlib import Path

from deploy.provisioning.prepare_job import run
from services.common.environment import load_env_file

PASSWORDS = Path("/run/secrets/passwords")


def pairs(path: Path) -> dict[str, str]:
    """``name=value`` lines."""
    lines = path.read_text("utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def main(passwords: Path = PASSWORDS) -> int:
    """Exit code 0 when everything is as this program wants it."""
    load_env_file()
    return run(pairs(passwords))


if __name__ == "__main__":
    raise SystemExit(main())
