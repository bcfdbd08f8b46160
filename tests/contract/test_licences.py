"""No dependency of the image is under the GPL alone, and NOTICE names those that ask for more than their text."""

from email.message import Message
from importlib.metadata import PackageMetadata
from typing import cast

import pytest

from deploy.image import licences
from deploy.image.licences import Dependency, ways


def said(**headers: str | list[str]) -> PackageMetadata:
    metadata = Message()
    for name, value in headers.items():
        for text in [value] if isinstance(value, str) else value:
            metadata[name.replace("_", "-")] = text
    return cast("PackageMetadata", metadata)


OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        (said(License_Expression="GPL-2.0-or-later"), "strong"),
        (said(License_Expression="AGPL-3.0-only WITH x"), "strong"),
        (said(License_Expression="MIT AND GPL-3.0-only"), "strong"),
        (said(License_Expression="(MIT OR Apache-2.0) AND (GPL-3.0-only OR AGPL-3.0-only)"), "strong"),
        (said(License_Expression="MIT OR GPL-3.0-only"), "free"),
        (said(License_Expression="LGPL-2.1-only"), "library"),
        (said(License_Expression="MPL-2.0 AND (Apache-2.0 OR MIT)"), "library"),
        (said(License_Expression="MPL-2.0 OR MIT"), "free"),
        (said(Classifier=["Topic :: x", f"{OSI}GNU General Public License v2 or later (GPLv2+)"]), "strong"),
        (said(Classifier=[f"{OSI}GNU Affero General Public License v3"]), "strong"),
        (said(Classifier=[f"{OSI}GNU General Public License v2 (GPLv2)", f"{OSI}MIT License"]), "free"),
        (said(Classifier=[f"{OSI}GNU Lesser General Public License v2 or later (LGPLv2+)"], License="GPL"), "library"),
        (said(License="GPLv3\n\nand its whole text"), "strong"),
        (said(License="GNU Lesser General Public License"), "library"),
        (said(License="BSD-3-Clause"), "free"),
    ],
)
def test_what_a_distribution_says_of_itself(metadata: PackageMetadata, expected: str) -> None:
    dependency = Dependency("x", ways(metadata))
    assert dependency.ways
    assert ("strong" if dependency.is_strong else "library" if dependency.is_library else "free") == expected


def test_one_that_says_nothing_has_no_way_to_be_used() -> None:
    assert ways(said(License="  ", Classifier=["Topic :: x"])) == ()


def test_the_image_holds_none_and_notice_is_true(capsys: pytest.CaptureFixture[str]) -> None:
    assert licences.main() == 0, capsys.readouterr().err
    names = {dependency.name for dependency in licences.dependencies()}
    assert {"anyascii", "python-stdnum", "sqlalchemy"} <= names
    assert len(names) > 50


def test_faults_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    others = [Dependency("strong", ("GPL-2.0-or-later",)), Dependency("silent", ()), Dependency("new", ("MPL-2.0",))]
    known = [dependency for dependency in licences.dependencies() if dependency.name != "certifi"]
    monkeypatch.setattr(licences, "dependencies", lambda: [*known, *others])
    assert licences.main() == 1
    published = capsys.readouterr().err
    for words in ("strong is under GPL-2.0-or-later alone", "silent does not say", "lacks the line '    new: MPL-2.0'"):
        assert words in published
    assert "NOTICE has 'certifi: Mozilla Public License 2.0 (MPL 2.0)', which is not so any more" in published


def test_the_licence_is_there_in_full() -> None:
    text = licences.NOTICE.with_name("LICENSE").read_text("utf-8")
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert all(f"\n{article}." in text for article in range(1, 16))
    assert "Compatible Licences" in text
