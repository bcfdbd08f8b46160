"""Options that many commands have, and that mean the same in each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="print JSON")]
By = Annotated[str, typer.Option("--by", help="who decides this; kept in the history", show_default="you")]
Reason = Annotated[str, typer.Option("--reason", help="why; kept in the history")]


def service_option(names: Collection[str], unknown: str) -> Any:
    """``--service``, which takes one of these names.

    ``unknown`` is the error for any other: ``{name}`` and ``{names}`` stand for what was given and what there is.
    """

    def checked(name: str | None) -> str | None:
        if name is not None and name not in names:
            raise typer.BadParameter(unknown.format(name=repr(name), names=", ".join(names)))
        return name

    return typer.Option("--service", "-s", callback=checked, help="only this service's")
