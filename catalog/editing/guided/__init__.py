"""Values people need not type in full: recognised in any pasted form, chosen from lists, offered from what is known.

``people``, ``inherited``, ``instruments`` and ``data_files`` look into the index; everything exported here is pure.
"""

from catalog.editing.guided.choice import Choice
from catalog.editing.guided.kinds import KINDS, advice, choices, common, kind_of, label, normalised, search
from catalog.editing.guided.units import unit_iri

__all__ = [
    "KINDS",
    "Choice",
    "advice",
    "choices",
    "common",
    "kind_of",
    "label",
    "normalised",
    "search",
    "unit_iri",
]
