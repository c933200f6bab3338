"""Questions that are ready to ask, each with what it is good for; people begin by changing one."""

from __future__ import annotations

from dataclasses import dataclass

_PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "ff": "https://w3id.org/fairfolder/terms#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "prov": "http://www.w3.org/ns/prov#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sosa": "http://www.w3.org/ns/sosa/",
    "schema": "https://schema.org/",
}


@dataclass(frozen=True)
class Ready:
    """A question in words, and in SPARQL."""

    title: str
    query: str


def _ready(title: str, prefixes: str, pattern: str) -> Ready:
    head = "\n".join(f"PREFIX {name}: <{_PREFIXES[name]}>" for name in prefixes.split())
    return Ready(title, f"{head}\n\n{pattern.strip()}\n")


QUESTIONS = (
    _ready(
        "Which datasets are there, the newest first?",
        "dcat dct",
        """
SELECT ?dataset ?title ?issued WHERE {
  ?dataset a dcat:Dataset ; dct:title ?title .
  OPTIONAL { ?dataset dct:issued ?issued }
}
ORDER BY DESC(?issued)
LIMIT 100
""",
    ),
    _ready(
        "Datasets by instrument",
        "dcat dct prov rdfs",
        """
SELECT ?instrument ?name (COUNT(DISTINCT ?dataset) AS ?datasets) WHERE {
  ?run prov:used|prov:wasAssociatedWith ?instrument .
  ?instrument a <http://www.w3.org/ns/ssn/System> .
  ?dataset a dcat:Dataset .
  GRAPH ?record { ?dataset a dcat:Dataset . ?run a prov:Activity }
  OPTIONAL { ?instrument rdfs:label|dct:title ?name }
}
GROUP BY ?instrument ?name
ORDER BY DESC(?datasets)
LIMIT 100
""",
    ),
)
