"""A history of 10,000 versions opens as quickly as one of ten."""

from __future__ import annotations

import time

import pytest
from django.test import Client

from tests.catalog.recorded import START, Past
from tests.catalog.test_history import LIST, administrative
from tests.catalog.tree import Tree

pytestmark = pytest.mark.django_db(transaction=True)

VERSIONS = 10_000
SECONDS = 3.0  # a tenth of it on a machine that does nothing else


def fill(tree: Tree, past: Past) -> None:
    """The dataset's own document 10,000 times changed, in one stream."""
    path = administrative(tree)
    text, name = path.read_bytes(), path.relative_to(tree.root).as_posix().encode()
    parts = [b"from refs/heads/main^0\n"]
    for number in range(VERSIONS):
        blob = text.replace(b'"One"', b'"Title %d"' % number)
        parts.append(
            b"commit refs/heads/main\n"
            b"author ada <ada@users.fairfolder.invalid> %d +0000\n"
            b"committer Fairfolder <service@fairfolder.invalid> %d +0000\n"
            b"data 6\nEdit x\n%sM 100644 inline %s\ndata %d\n%s\n"
            % (START + number, START + number, parts.pop() if number == 0 else b"", name, len(blob), blob)
        )
    past.git("fast-import", "--quiet", data=b"".join(parts))


def test_the_newest_versions_are_there_at_once(reader: Client, tree: Tree, past: Past) -> None:
    fill(tree, past)
    assert past.git("rev-list", "--count", "HEAD") == str(VERSIONS + 1)
    first = reader.get(LIST).content.decode()  # git, templates and schemas are loaded
    assert "Title 9998 → Title 9999" in first
    took = []
    for _ in range(5):
        began = time.perf_counter()
        assert reader.get(LIST).status_code == 200
        took.append(time.perf_counter() - began)
    assert min(took) < SECONDS, took
