"""One running endpoint for the tests of a worker; each module plants what it asks for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.catalog.sparql.endpoint import Endpoint, endpoint


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with endpoint(tmp_path_factory.mktemp("sparql")) as found:
        yield found
