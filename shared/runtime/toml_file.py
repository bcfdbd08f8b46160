"""Reads a configuration file (TOML) with errors that say where, why, and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # The command line knows these errors, and must not wait for pydantic.
    from pydantic import ValidationError


class ConfigurationFileError(ValueError):
    """A configuration file, or a value of it, cannot be used; the message says where and why."""


def read_toml(path: Path, variable: str, error: type[ConfigurationFileError]) -> dict[str, Any]:
    """The file as a tree. Raises ``error``; ``variable`` names the file in the environment."""
    try:
        # Notepad writes a byte order mark in front, which TOML does not know.
        return tomllib.loads(path.read_text("utf-8-sig"))
    except FileNotFoundError:
        raise error(f"{path}: there is no such file; set {variable}") from None
    except OSError as fault:
        raise error(f"{path}: the file cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError as fault:
        raise error(f"{path}: the file must be saved as UTF-8: {fault}") from None
    except tomllib.TOMLDecodeError as fault:
        raise error(f"{path}: this is not TOML: {fault}") from None


def faults(error: ValidationError) -> str:
    """What is wrong with a table of it, each fault with its place."""

    def place(fault: Mapping[str, Any]) -> str:
        return ".".join(str(part) for part in fault["loc"])

    lines = [": ".join(filter(None, (place(f), f["msg"].removeprefix("Value error, ")))) for f in error.errors()]
    return "; ".join(lines)
