"""Large records are rendered before anybody asks."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from catalog.formats import ahead, rendered
from catalog.formats.table import FORMATS
from catalog.models import Published
from catalog.publishing.site import site
from tests.catalog.public.shown import Shown

SLOW = [each.name for each in FORMATS if each.profile is not None]


def kept(shown: Shown) -> int:
    folder = Path(shown.tree.root.parent / "state" / "rendered")
    return len(list(folder.iterdir())) if folder.is_dir() else 0


def test_each_look_renders_one_format_until_all_are_kept(
    shown: Shown, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)
    follower = ahead.Ahead(site())
    follower.look(rows_changed=True)
    assert kept(shown) == 1
    for _ in range(20):
        follower.look(rows_changed=False)
    assert kept(shown) == len(SLOW)

    def refused(*_: object) -> bytes:
        raise AssertionError("rendered again")

    made = shown.publish()
    assert all(rendered.is_kept(made.etag, name, site()) for name in SLOW)
    for each in FORMATS:
        if each.name in SLOW:
            assert (
                rendered.kept(made.etag, each.name, site(), refused)
                == client.get(f"{shown.page}.{each.suffix}").content
            )


def test_a_changed_record_is_rendered_again_and_a_small_one_never(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = ahead.Ahead(site())
    follower.look(rows_changed=True)
    assert kept(shown) == 0
    monkeypatch.setattr(ahead, "LARGE", 1)
    for title in ("One", "Two"):
        made = shown.publish(dataset_title=title)
        follower.look(rows_changed=True)
        while follower.waiting:
            follower.look(rows_changed=False)
        assert rendered.is_kept(made.etag, "ttl", site())


def test_a_record_that_cannot_be_rendered_holds_up_no_other(
    shown: Shown, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)

    def broken(*_: object) -> bytes:
        raise ValueError("broken")

    monkeypatch.setattr(rendered, "kept", broken)
    follower = ahead.Ahead(site())
    for _ in range(20):
        follower.look(rows_changed=not follower.known)
    assert not follower.waiting
    assert "cannot be rendered as ttl" in caplog.text


def test_what_does_not_fit_is_left_to_whoever_asks_and_what_is_kept_counts(
    shown: Shown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)
    monkeypatch.setattr(ahead, "_MOST_BYTES", 1)
    rendered.forget()  # what other tests made is not made again
    for _ in range(3):  # as after each start
        follower = ahead.Ahead(site())
        for number in range(20):
            follower.look(rows_changed=number == 0)
        assert (kept(shown), len(follower.waiting)) == (1, 0)
    shown.publish(dataset_title="Another")
    follower.look(rows_changed=True)
    assert kept(shown) == 2


def test_a_look_at_what_is_kept_already_ends_in_time(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)
    monkeypatch.setattr(rendered, "size_kept", lambda *_: 1)
    monkeypatch.setattr(ahead, "_LOOK_SECONDS", 0.0)
    follower = ahead.Ahead(site())
    for _ in range(3):
        follower.look(rows_changed=not follower.known)
    assert len(follower.waiting) == len(SLOW)
    monkeypatch.setattr(ahead, "_LOOK_SECONDS", 5.0)
    follower.look(rows_changed=False)
    assert not follower.waiting


def test_a_record_that_goes_while_it_is_looked_at_is_left_out(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "LARGE", 1)

    def gone(*_: object) -> None:
        Published.objects.all().delete()

    monkeypatch.setattr(rendered, "size_kept", gone)
    follower = ahead.Ahead(site())
    follower.look(rows_changed=True)
    assert not follower.waiting
    assert kept(shown) == 0


def test_what_is_near_has_a_bound_and_the_oldest_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rendered, "_NEAR_BYTES", 100)
    monkeypatch.setattr(rendered, "_NEAR_ONE", 60)
    near = rendered._Near()
    for name, size in (("a", 40), ("b", 40), ("a", 50), ("large", 61)):
        near.put(name, bytes(size))
    assert (set(near.kept), near.bytes) == ({"a", "b"}, 90)
    near.get("b")
    near.put("c", bytes(30))
    assert (set(near.kept), near.bytes) == ({"b", "c"}, 70)
