"""Questions that are ready to ask, each with what it is good for; people begin by changing one."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.db.models.fields.json import KT

from catalog import rights
from catalog.graph.prefixes import PREFIXES
from ingest.publication import PUBLISHED

_LOOKED_AT, _MOST_FILES, _LONGEST = 20, 1_000, 60


@dataclass(frozen=True)
class Ready:
    """A question in words, and in SPARQL."""

    title: str
    query: str


@dataclass(frozen=True)
class Examples:
    """The words that some questions ask for; people put their own in their place."""

    keyword: str = "heat shock"
    software: str = "Fiji"
    format: str = "TIFF"


def of_what_is_public() -> Examples:
    """Words that the latest records have, the largest first, so that the questions are answered; else neutral ones."""
    latest = rights.published().filter(state=PUBLISHED, file_count__lte=_MOST_FILES).order_by("-modified", "identifier")
    said = latest.values_list(
        "size_bytes",
        KT("value__keywords__0"),
        KT("value__data_objects__0__experiment__software_used__0__name"),
        KT("value__file_descriptions__0__format__name"),
    )
    # A value such as a list of words comes as a text too, which only finds nothing.
    found = sorted(said[:_LOOKED_AT], key=lambda each: int(each[0]), reverse=True)
    columns = list(zip(*(each[1:] for each in found), strict=True)) or [(), (), ()]
    words = [next((each for each in column if _is_plain(each)), "") for column in columns]
    return Examples(**{name: word for name, word in zip(asdict(Examples()), words, strict=True) if word})


def _is_plain(word: object) -> bool:
    """Whether a word may stand in a title and, as it is, between the quotes of a query."""
    if not isinstance(word, str) or not 0 < len(word) <= _LONGEST:
        return False
    return word.isprintable() and not set(word) & {'"', "\\"}


def _ready(title: str, prefixes: str, pattern: str) -> Ready:
    head = "\n".join(f"PREFIX {name}: <{PREFIXES[name]}>" for name in prefixes.split())
    return Ready(title, f"{head}\n\n{pattern.strip()}\n")


_QUESTIONS = (
    _ready(
        "Which datasets are there, the newest first?",
        "adms dcat dct",
        """
SELECT ?dataset ?title ?issued WHERE {
  ?dataset a dcat:Dataset ; dct:title ?title .
  OPTIONAL { ?dataset dct:issued ?issued }
  FILTER NOT EXISTS { ?dataset adms:status <http://publications.europa.eu/resource/authority/dataset-status/WITHDRAWN> }
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
  ?instrument a ssn:System ; dct:title ?name .
  ?run prov:used ?instrument .
  { SELECT ?run ?dataset { ?run ff:ofDataset ?dataset } }  # on its own: read once, not once for each run
}
GROUP BY ?instrument ?name
ORDER BY DESC(?datasets)
LIMIT 100
""",
    ),
    _ready(
        "All %(format)s files larger than 10 kB",
        "dcat dct ff rdfs",
        """
SELECT ?file ?path ?bytes ?title WHERE {
  ?file ff:fileFormat/rdfs:label "%(format)s" ; dcat:byteSize ?bytes ; ff:path ?path .
  ?dataset dcat:distribution ?file ; dct:title ?title .
  FILTER(?bytes > 10000)
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
        "What was made with the software %(software)s?",
        "dct ff prov schema",
        """
SELECT DISTINCT ?run ?title ?version ?dataset WHERE {
  ?run prov:used ?software ; dct:title ?title ; ff:ofDataset ?dataset .
  ?software schema:name "%(software)s" .
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
        "Which datasets have the keyword “%(keyword)s”?",
        "dcat dct",
        """
SELECT ?dataset ?title WHERE {
  ?dataset dcat:keyword ?keyword ; dct:title ?title .
  FILTER(STR(?keyword) = "%(keyword)s")
}
LIMIT 100
""",
    ),
    _ready(
        "How large is everything, by format?",
        "dcat ff rdfs",
        """
SELECT ?format (COUNT(?file) AS ?files) (SUM(?bytes) AS ?size) WHERE {
  ?file ff:fileFormat/rdfs:label ?format .
  { SELECT ?file ?bytes { ?file dcat:byteSize ?bytes } }  # on its own: read once, not once for each file
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


def questions(examples: Examples) -> list[Ready]:
    """All of them, about these words."""
    told = asdict(examples)
    return [Ready(each.title % told, each.query % told) for each in _QUESTIONS]


QUESTIONS = questions(Examples())
