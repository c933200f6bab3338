"""How many requests of this process may wait for queries at once; see :mod:`catalog.places`."""

from __future__ import annotations

from catalog.places import Places

PLACES = 6
_OF_ONE_ADDRESS = 4
PLACES_HERE = Places(PLACES, _OF_ONE_ADDRESS)
