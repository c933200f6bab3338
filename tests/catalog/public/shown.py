"""A published dataset whose files lie on disk: the example of tests/catalog/publishing, with bytes of its own."""

from __future__ import annotations

import copy
import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from catalog import index
from catalog.index.published import _columns, _things
from catalog.models import Published, PublishedThing
from catalog.publishing import record
from tests.catalog.publishing import example
from tests.catalog.tree import Tree, entry

FOLDER = "p_HeatShock/dataset_replicate1"
WRITTEN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@dataclass
class Shown:
    """The dataset, and its record's row, which tests may make anew with other contents."""

    tree: Tree
    contents: Mapping[str, bytes]
    ids: dict[str, str] = field(default_factory=dict)  # path → identifier

    @property
    def identifier(self) -> str:
        return example.DATASET

    @property
    def page(self) -> str:
        return f"/datasets/{self.identifier}"

    def file(self, path: str) -> str:
        return f"/id/file/{self.ids[path]}"

    def on_disk(self, path: str) -> Path:
        return self.tree.root / FOLDER / os.fsdecode(path.encode())

    def publish(self, **changes: Any) -> record.Published:
        """Makes the rows; `changes` are keys of the document, or of the row where it has such a column."""
        made = example.published()
        value = copy.deepcopy(made.value)
        described = [each for each in value["file_descriptions"] if each["path"] in self.ids]
        for each in described:
            content = self.contents[each["path"]]
            each["size_bytes"] = len(content)
            each["checksum"]["value"] = hashlib.sha256(content).hexdigest()
            each["modified_utc"] = "2026-11-20T12:00:00Z"
        value["file_descriptions"] = described
        value |= changes
        return put(replace(made, value=value, files=tuple(value.get("file_descriptions", ()))))

    def restrict(self, level: str, **changes: Any) -> record.Published:
        return self.publish(access_level=level, **changes)

    def withdraw(self) -> record.Published:
        """The tombstone, in the shape that publishing gives it."""
        made = example.published()
        kept = ("@id", "@type", "dataset_identifier", "dataset_title", "creators", "publisher", "date_published", "doi")
        value = {key: made.value[key] for key in (*kept, "dataset_version", "last_modified_date")}
        value |= {"publication_state": "withdrawn", "withdrawn_date": "2026-11-25T09:00:00Z"}
        value["withdrawal_reason"] = "The wrong plate was imaged."
        return put(replace(made, value=value, files=(), state="withdrawn"))


def put(made: record.Published) -> record.Published:
    """The rows of one record, as the index writes them."""
    text = repr(made.value).encode("utf-8", "surrogatepass")
    level = str(made.value.get("access_level", "public"))
    end = made.value.get("embargo_end_date")
    made = replace(
        made,
        identifier=made.value["dataset_identifier"],
        title=made.value["dataset_title"],
        access_level=level,
        embargo_end=date.fromisoformat(end) if end else None,
        state=made.value["publication_state"],
        etag=hashlib.sha256(text).hexdigest(),
    )
    PublishedThing.objects.filter(record=made.identifier).delete()
    PublishedThing.objects.bulk_create(_things(made))
    Published.objects.update_or_create(identifier=made.identifier, defaults=_columns(made) | {"basis": "test"})
    return made


def prepared(tree: Tree) -> Shown:
    """The folder with its files, described and indexed; nothing of it is public yet."""
    value = example.published().value
    contents, ids, entries = {}, {}, []
    for each in value["file_descriptions"]:
        if "path_encoding" in each:
            continue
        path = each["path"]
        content = b"".join(hashlib.sha256(f"{path} {n}".encode()).digest() for n in range(40))
        contents[path], ids[path] = content, each["file_identifier"]
        file = tree.root / FOLDER / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        os.utime(file, (WRITTEN.timestamp(), WRITTEN.timestamp()))
        entries.append(
            entry(
                path,
                len(content),
                each["mime_type"],
                file_identifier=ids[path],
                modified_utc="2026-11-20T12:00:00Z",
                checksum={"algorithm": "sha256", "value": hashlib.sha256(content).hexdigest()},
            )
        )
    tree.project("p_HeatShock", project_identifier=example.PROJECT)
    tree.dataset(FOLDER, entries, dataset_identifier=example.DATASET, dataset_title="In work")
    index.refresh(tree.documents())
    return Shown(tree, contents, ids)
