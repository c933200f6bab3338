"""The metadata file of an RO-Crate 1.1 whose data are on the web: https://w3id.org/ro/crate/1.1.

A flat graph: every thing stands in it once under its public IRI, and others name it by ``@id``.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from catalog.formats import openness, reading, schemaorg
from catalog.formats.reading import Thing, one, several, text, texts, web, without_empty
from catalog.publishing.iris import public_iri
from catalog.publishing.site import Site

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "https://w3id.org/ro/crate/1.1"
_ROOT, _DESCRIPTOR = "./", "ro-crate-metadata.json"
Node = dict[str, Any]


def render(value: Thing, site: Site) -> bytes:
    graph = Crate(site.base_url).of(value, site)
    return orjson.dumps({"@context": CONTEXT, "@graph": graph}, option=orjson.OPT_INDENT_2) + b"\n"


class Crate:
    """The nodes of one crate, each under its ``@id``."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.nodes: dict[str, Node] = {}

    def of(self, value: Thing, site: Site) -> list[Node]:
        """All nodes, the descriptor and the root first."""
        about = {"@id": _DESCRIPTOR, "@type": "CreativeWork", "about": {"@id": _ROOT}, "conformsTo": {"@id": PROFILE}}
        self.nodes = {_DESCRIPTOR: about, _ROOT: {}}
        files = _there(self._file(each) for each in reading.files(value))
        self.nodes[_ROOT] = without_empty(
            {
                "@id": _ROOT,
                "@type": "Dataset",
                "name": text(value, "dataset_title"),
                "description": reading.description(value) or text(value, "withdrawal_reason"),
                "datePublished": reading.day(value.get("date_published")),
                "dateModified": text(value, "last_modified_date"),
                "identifier": reading.identifier(value, self.base),
                "url": reading.landing_page(value, self.base),
                "version": text(value, "dataset_version"),
                "license": self._license(value),
                "author": _there(self._agent(each) for each in several(value, "creators")),
                "publisher": self._agent(one(value, "publisher")) or {"name": site.publisher_name},
                "funder": _there(self._agent(one(each, "funder")) for each in reading.funding(value)),
                "keywords": texts(value, "keywords"),
                "inLanguage": texts(value, "languages"),
                "temporalCoverage": schemaorg.period(one(value, "temporal_coverage")),
                "conditionsOfAccess": openness.conditions(value),
                "isAccessibleForFree": reading.is_open(value),
                "potentialAction": self._access(value),
                "variableMeasured": [self._variable(each) for each in reading.variables(value)],
                "hasPart": files,
                "mentions": _there(self._run(each, value) for each in reading.runs(value)),
            }
        )
        return list(self.nodes.values())

    def _add(self, node: Node) -> Node:
        """Its reference; {} of what has no name."""
        kept = without_empty(node)
        if "@id" not in kept:
            return {}
        self.nodes.setdefault(kept["@id"], kept)
        return {"@id": kept["@id"]}

    def _agent(self, agent: Thing) -> Node:
        called = reading.name(agent)
        if not called:
            return {}
        known = reading.agent_iri(agent, self.base) or f"#agent-{orjson.dumps(called).hex()[:64]}"
        person = reading.is_person(agent)
        return self._add(
            {
                "@id": known,
                "@type": "Person" if person else "Organization",
                "name": called,
                "givenName": text(agent, "given_name") if person else "",
                "familyName": text(agent, "family_name") if person else "",
                "affiliation": _there(self._agent(each) for each in several(agent, "affiliations")),
            }
        )

    def _license(self, value: Thing) -> Any:
        address = reading.license_iri(value)
        if not address:
            return text(value, "license") or text(value, "rights_statement")
        return self._add({"@id": address, "@type": "CreativeWork", "name": reading.license_name(value)})

    def _access(self, value: Thing) -> Node:
        """The end of an embargo, as entities of their own: nothing is nested in a crate."""
        action = schemaorg.access_action(value)
        if not action:
            return {}
        asked = self._add({"@id": "#access-from", **action["actionAccessibilityRequirement"]})
        return self._add({"@id": "#access", **action, "name": "Access", "actionAccessibilityRequirement": asked})

    def _variable(self, thing: Thing) -> Node:
        node = schemaorg.variable(thing)
        own = reading.iri(thing, self.base, "variable") or f"#variable-{text(thing, 'name').encode().hex()[:64]}"
        return self._add({"@id": own, **node})

    def _file(self, file: Thing) -> Node:
        size, checksum = reading.whole(file, "size_bytes"), one(file, "checksum")
        return self._add(
            {
                "@id": reading.iri(file, self.base, "file"),
                "@type": "File",
                "name": text(file, "path"),
                "description": text(file, "description"),
                "contentSize": str(size) if size is not None else "",
                "encodingFormat": reading.download_type(file),
                "dateModified": text(file, "modified_utc"),
                "sha256": text(checksum, "value") if text(checksum, "algorithm") == "sha256" else "",
            }
        )

    def _run(self, run: Thing, value: Thing) -> Node:
        dates = one(run, "experiment_dates")
        return self._add(
            {
                "@id": reading.iri(run, self.base, "run"),
                "@type": "CreateAction",
                "name": text(run, "experiment_name") or text(run, "run_label"),
                "description": text(run, "notes"),
                "startTime": text(run, "started_at") or text(dates, "start"),
                "endTime": text(run, "ended_at") or text(dates, "end"),
                "agent": _there(self._agent(each) for each in several(run, "experimenters")),
                "instrument": [*self._instruments(run, value), *self._software(run)],
                "object": _there(self._input(each) for each in several(run, "inputs")),
                "result": [{"@id": public_iri(self.base, "file", each)} for each in texts(run, "outputs")],
            }
        )

    def _instruments(self, run: Thing, value: Thing) -> list[Node]:
        used = set(texts(run, "instruments_used"))
        found = [each for each in several(value, "instruments") if text(each, "instrument_identifier") in used]
        return [
            self._add(
                {
                    "@id": reading.iri(each, self.base, "instrument"),
                    "@type": "IndividualProduct",
                    "name": text(each, "instrument_name"),
                    "description": text(each, "description"),
                    "serialNumber": text(each, "serial_number"),
                    "manufacturer": _there(self._agent(who) for who in several(each, "manufacturers")),
                }
            )
            for each in found
        ]

    def _software(self, run: Thing) -> list[Node]:
        return [
            self._add(
                {
                    "@id": web(each.get("url")),
                    "@type": "SoftwareApplication",
                    "name": text(each, "name"),
                    "url": web(each.get("url")),
                    "version": text(each, "version"),
                }
            )
            for each in several(run, "software_used")
            if web(each.get("url"))
        ]

    def _input(self, given: Thing) -> Node:
        if text(given, "file_identifier"):
            return {"@id": public_iri(self.base, "file", text(given, "file_identifier"))}
        address = web(given.get("url"))
        return self._add({"@id": address, "@type": "CreativeWork", "name": text(given, "label")}) if address else {}


def _there(references: Iterable[Node]) -> list[Node]:
    """Those that lead somewhere."""
    return [each for each in references if each]
