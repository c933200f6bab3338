"""The index: the only writer of the rows of :mod:`catalog.models`, always from the metadata documents, never besides.

Every function may be called by any process at any time: each re-reads the files inside its own write transaction and
makes the rows equal to them, so neither the order nor the number of calls matters.
"""

from catalog.index.compare import snapshot
from catalog.index.refreshing import catch_up, rebuild, refresh

__all__ = ["catch_up", "rebuild", "refresh", "snapshot"]
