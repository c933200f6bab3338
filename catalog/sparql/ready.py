"""Questions that are ready to ask, each with what it is good for; people begin by changing one."""

from __future__ import annotations

from dataclasses import dataclass

from catalog.graph.prefixes import PREFIXES


@dataclass(frozen=True)
class Ready:
    """A question in words, and in SPARQL."""

    title: str
    query: str


def _ready(title: str, prefixes: str, pattern: str) -> Ready:
    head = "\n".join(f"PREFIX {name}: <{PREFIXES[name]}>" for name in prefixes.split())
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
        "dct ff prov ssn",
        """
SELECT ?instrument ?name (COUNT(DISTINCT ?dataset) AS ?datasets) WHERE {
  ?run prov:used ?instrument ; ff:ofDataset ?dataset .
  ?instrument a ssn:System ; dct:title ?name .
}
GROUP BY ?instrument ?name
ORDER BY DESC(?datasets)
LIMIT 100
""",
    ),
    _ready(
        "All TIFF files larger than 1 MB",
        "dcat dct ff rdfs",
        """
SELECT ?file ?path ?bytes ?title WHERE {
  ?file ff:fileFormat/rdfs:label "TIFF" ; dcat:byteSize ?bytes ; ff:path ?path .
  ?dataset dcat:distribution ?file ; dct:title ?title .
  FILTER(?bytes > 1000000)
}
ORDER BY DESC(?bytes)
LIMIT 100
""",
    ),
    _ready(
        "Who used a protocol with “imaging” in its name?",
        "foaf prov rdfs",
        """
SELECT DISTINCT ?person ?name ?protocol ?called WHERE {
  ?run prov:used ?protocol ; prov:wasAssociatedWith ?person .
  ?protocol rdfs:label ?called .
  ?person foaf:name ?name .
  FILTER(CONTAINS(LCASE(STR(?called)), "imaging"))
}
ORDER BY ?name
LIMIT 100
""",
    ),
    _ready(
        "What was made with the software Fiji?",
        "dct ff prov schema",
        """
SELECT DISTINCT ?run ?title ?version ?dataset WHERE {
  ?run prov:used ?software ; dct:title ?title ; ff:ofDataset ?dataset .
  ?software schema:name "Fiji" .
  OPTIONAL { ?software schema:softwareVersion ?version }
}
LIMIT 100
""",
    ),
    _ready(
        "Which files were made from which?",
        "ff prov",
        """
SELECT ?made ?path ?from ?source WHERE {
  ?run prov:used/ff:inFile ?from ; prov:generated ?made .
  ?from ff:path ?source .
  ?made ff:path ?path .
}
LIMIT 100
""",
    ),
    _ready(
        "Who created how many datasets?",
        "dcat dct foaf",
        """
SELECT ?person ?name (COUNT(DISTINCT ?dataset) AS ?datasets) WHERE {
  ?dataset a dcat:Dataset ; dct:creator ?person .
  ?person foaf:name ?name .
}
GROUP BY ?person ?name
ORDER BY DESC(?datasets) ?name
LIMIT 100
""",
    ),
    _ready(
        "Which datasets have a keyword?",
        "dcat dct",
        """
SELECT ?dataset ?title WHERE {
  ?dataset dcat:keyword ?keyword ; dct:title ?title .
  FILTER(LCASE(STR(?keyword)) = "heat shock")
}
LIMIT 100
""",
    ),
    _ready(
        "How large is everything, by format?",
        "dcat ff rdfs",
        """
SELECT ?format (COUNT(?file) AS ?files) (SUM(?bytes) AS ?size) WHERE {
  ?file ff:fileFormat/rdfs:label ?format ; dcat:byteSize ?bytes .
}
GROUP BY ?format
ORDER BY DESC(?size)
""",
    ),
    _ready(
        "Everything of the instruments, as triples",
        "ssn",
        """
DESCRIBE ?instrument WHERE { ?instrument a ssn:System }
LIMIT 20
""",
    ),
)
