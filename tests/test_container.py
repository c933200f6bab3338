"""The container files, as far as one can tell without an engine: they agree with the source and with each other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.test_docs import first_cells

CHECKOUT = Path(__file__).resolve().parent.parent
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()


def instructions(name: str) -> list[str]:
    """The arguments of every instruction of that name, continued lines joined."""
    joined = re.sub(r"\\\n\s*", " ", DOCKERFILE)
    return re.findall(rf"(?m)^{name} +(.+)$", joined)


def service() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CHECKOUT / "compose.yaml").read_text())
    return dict(loaded["services"]["fairfolder"])


def documented_settings() -> set[str]:
    return first_cells((CHECKOUT / "docs" / "settings.md").read_text())


def test_the_image_has_two_stages_and_ends_as_a_user_without_rights() -> None:
    assert len(instructions("FROM")) == 2
    assert instructions("USER") == ["1000:1000"]
    assert DOCKERFILE.index("\nUSER ") > DOCKERFILE.rindex("\nRUN ")
    assert "/healthz" in instructions("HEALTHCHECK")[0]


def test_what_runs_is_let_in_and_nothing_else() -> None:
    let_in = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert let_in == {"schemas", "contexts", "ingest", "catalog", "manage.py", "requirements-dvc.lock", "LICENSE"}
    assert all((CHECKOUT / name).exists() for name in let_in)


def test_every_setting_it_sets_exists() -> None:
    in_image = set(re.findall(r"\b(FAIRFOLDER_[A-Z_]+|MONITOR_PATH)=", " ".join(instructions("ENV"))))
    assert in_image == {"MONITOR_PATH", "FAIRFOLDER_STATE_DIR", "FAIRFOLDER_BIND"}
    assert in_image | set(service()["environment"]) <= documented_settings()


def test_the_service_runs_without_rights_it_does_not_need() -> None:
    one = service()
    assert one["user"] == "1000:1000"
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert one["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in one["ports"])
    assert {volume.rpartition(":")[2] for volume in one["volumes"]} == {"/data", "/state"}


def test_who_sets_it_up_reads_that_data_takes_its_size_twice() -> None:
    compose = (CHECKOUT / "compose.yaml").read_text().partition("\nservices:")[0]
    for said in (DOCKERFILE.partition("\nFROM")[0], compose, (CHECKOUT / "README.md").read_text()):
        assert "takes its size twice" in said
        assert "FAIRFOLDER_DVC" in said
    assert service()["environment"]["FAIRFOLDER_DVC"] == "${FAIRFOLDER_DVC:-auto}"  # what the file .env says reaches it
