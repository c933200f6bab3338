"""A small tree of real, openly licensed data, so that the first sight of the product is a filled one."""

from catalog.demo.copying import DemoError
from catalog.demo.making import Made, make

__all__ = ["DemoError", "Made", "make"]
