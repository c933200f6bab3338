"""A small tree of real, openly licensed data, so that the first sight of the product is a filled one."""

from catalog.demo.copying import DemoError
from catalog.demo.making import Made, complete, drafts, make

__all__ = ["DemoError", "Made", "complete", "drafts", "make"]
