"""A key or a password in DVC's configuration goes into no commit, and status says how to keep it."""

from __future__ import annotations

import pytest

from ingest.provenance.actions import Action
from ingest.provenance.credentials import CONFIG, secrets_in
from tests.ingest.provenance.kept import Kept

pytestmark = pytest.mark.timeout(120)

HARMLESS = "[core]\n    remote = s\n    analytics = false\n['remote \"s\"']\n    url = s3://b/x\n"


@pytest.mark.parametrize(
    "line",
    ["password = x", "secret_access_key = CANARY", "access_key_id = AKIA", "session_token=t", "account_key = k",
     "connection_string = DefaultEndpointsProtocol=https;AccountKey=k", "sas_token = ?sv", "client_secret = s",
     "gdrive_client_secret = s", "token = t", "oss_key_secret = s", "passphrase = p", "sse_customer_key = k",
     "url = https://ann:pw@host/x", "url = ssh://ann:pw@host:22/x", "# password = x",
     "url = https://a.blob.core.windows.net/c?sv=1&sig=abc"],
)  # fmt: skip
def test_an_option_that_opens_something_is_found(line: str) -> None:
    assert secrets_in(f"{HARMLESS}    {line}\n".encode()) == [("s", line.lstrip("# ").partition("=")[0].strip())]


@pytest.mark.parametrize(
    "line",
    ["ask_password = true", "keyfile = /home/a/.ssh/id", "credentialpath = /etc/x", "gdrive_client_id = i",
     "url = ssh://ann@host/x", "url = https://host:443/x@y:z", "user = ann", "account_name = a", "password =",
     "gdrive_service_account_json_file_path = /x/key.json", "ssl_verify = false", "endpointurl = https://host"],
)  # fmt: skip
def test_what_opens_nothing_is_no_secret(line: str) -> None:
    assert secrets_in(f"{HARMLESS}    {line}\n".encode()) == []


def test_a_configuration_with_a_key_goes_into_no_commit_and_is_told(kept: Kept) -> None:
    kept.save(1)
    config = kept.put(CONFIG, HARMLESS)
    assert kept.recorder.catch_up() == 1
    config.write_text(HARMLESS + "    secret_access_key = CANARY\n")
    assert kept.recorder.catch_up() == 0
    assert kept.recorder.catch_up([config]) == 0
    action = Action("system:dvc", "Keep")
    kept.recorder.begin([config], action)
    assert kept.recorder.record([config], action) == ""
    assert kept.blob(CONFIG) == HARMLESS.encode()
    told = kept.another().state().trouble
    assert f"{config} holds secret_access_key of the remote 's'" in told
    assert "dvc remote modify --local s secret_access_key VALUE" in told
    assert "CANARY" not in told
    config.write_text(HARMLESS + "    region = x\n")
    assert kept.recorder.catch_up() == 1
    assert kept.another().state().trouble == ""
    config.write_text(HARMLESS + "    password = CANARY\n")
    kept.recorder.catch_up()
    config.unlink()
    assert kept.recorder.catch_up() == 1
    assert kept.log("%H", "-SCANARY", "--all") == [""]
