"""Clocks that are wrong, and jump, for one process of ours each: libfaketime."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from deploy.errors import MissingPackagesError
from deploy.local.tools import faketime


class FalseClock:
    """What a process started with ``env`` takes for the time."""

    def __init__(self, file: Path, text: str) -> None:
        """``says`` as :meth:`set` takes it. Skips the test where the library cannot be had."""
        try:
            library = faketime()
        except MissingPackagesError as error:
            pytest.skip(f"clocks cannot be made to go wrong here: {error}")
        self._file = file
        self.set(text)
        self.env: Mapping[str, str] = {
            "LD_PRELOAD": str(library),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",  # seconds until a process sees that it jumped
            # Whoever sets a clock does not move the monotonic one, by which asyncio and the kernel wait; where the two
            # are mixed up, a wait with a timeout hangs for ever.
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",  # nor do files become older
        }

    def set(self, text: str) -> None:
        """Jump: ``+2h``, ``-3d``, or ``+0 x1.5`` for a clock that runs fast."""
        # In one step: a process that reads half of it would be told no time at all.
        written = self._file.with_suffix(".new")
        written.write_text(f"{text}\n")
        written.rename(self._file)
