"""The address that a former system or a staff tool is given: its own broker user's, with a new password in it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from services.cli.backup import folder as backup_folder
from shared.cli.errors import CannotAct
from shared.runtime.tls import address

PUBLIC = "TRABOULE_BROKER_PUBLIC_URL"
"""Names the variable with the broker's address as others reach it, where it is not the one that services use."""


def given(service_url: str, user: str, password: str) -> str:
    """The broker's address as this user's, in the services' virtual host. Raises CannotAct, TlsError, SecretFileError.

    A query is left out: which authority a server is checked against is a file's name on this machine.
    """
    own = urlsplit(service_url)
    public = urlsplit(address(PUBLIC) or service_url)
    if public.scheme not in ("amqp", "amqps") or not public.hostname:
        raise CannotAct(f"{PUBLIC} has to be such as amqps://broker.example.org:5671")
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{public.netloc.rpartition('@')[2]}"
    return urlunsplit((public.scheme, netloc, own.path, "", ""))


@contextmanager
def written(file: Path | None, url: str) -> Generator[None]:
    """Write an address to a file when what makes it true was done inside, and leave the file alone if that failed.

    Until then it stands beside the file, so that a password which is in use is written somewhere, whatever happens.
    Only their owner may read either. Raises CannotAct.
    """
    if file is None:
        yield
        return
    periodic_tasks = file.with_name(f"{file.name}.new")
    try:
        if file.is_dir():
            raise IsADirectoryError
        periodic_tasks.unlink(missing_ok=True)
        backup_folder.write(periodic_tasks, f"{url}\n".encode())
    except OSError as error:
        raise CannotAct(f"{file} cannot be written ({type(error).__name__}); nothing was changed") from None
    try:
        yield
    except Exception:
        periodic_tasks.unlink(missing_ok=True)
        raise
    try:
        periodic_tasks.replace(file)
    except OSError as error:
        detail = f"the password is new, but {file} cannot be written ({type(error).__name__})"
        raise CannotAct(f"{detail}: the new address is in {periodic_tasks}") from None
