"""``traboule mail bounces``: reads mailboxes for those who have no LMTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from services.cli.environment import configured
from services.cli.registry import definition_of
from services.common.transactions import transaction
from services.communications.bounces.returned import NoMailboxError, Returned, from_files
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.communications.usecases.bounces import take_in
from shared.cli.options import Json
from shared.cli.terminal import as_json, refuse, run, terminal

app = typer.Typer()
_AT_ONCE = 100


@app.command()
def bounces(
    files: Annotated[list[Path], typer.Argument(help="mailbox files (mbox) or Maildir folders", exists=True)],
    json: Json = False,
) -> None:
    """Take in bounces, complaints and mailed objections from mailboxes. The same mail twice changes nothing.

    Example: [bold]traboule mail bounces /var/mail/bounces[/]
    """
    counts: Counter[str] = Counter()
    for path in files:
        try:
            returned = list(from_files(path))
        except NoMailboxError as error:
            refuse(str(error))
        except OSError as error:
            refuse(f"{path} cannot be read ({type(error).__name__})")
        counts["mails"] += len(returned)
        counts.update(run(_taken_in(returned)))
    if json:
        as_json(dict(counts))
        return
    fresh = counts.total() - counts["mails"]
    terminal().print(f"{counts['mails']} mails read, {fresh} of them for the first time", highlight=False)
    for kind, count in sorted(counts.items()):
        if kind != "mails":
            terminal().print(f"  {count:>6}  {kind}", highlight=False)


async def _taken_in(returned: Sequence[Returned]) -> Counter[str]:
    """Raises Unreachable."""
    definition, settings = definition_of("communications"), configured("communications")["communications"]
    counts: Counter[str] = Counter()
    for first in range(0, len(returned), _AT_ONCE):
        async with transaction(definition, settings, "mail") as uow:
            assert isinstance(uow, CommunicationsUnitOfWork)
            counts.update(await take_in(uow.connection, uow.keyring, returned[first : first + _AT_ONCE]))
    return counts
