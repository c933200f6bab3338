"""A small tree of real, openly licensed data, so that the first sight of the product is a filled one."""

from catalog.demo.copying import DemoError
from catalog.demo.making import Made, complete, drafts, folder_of, make, others

__all__ = ["DemoError", "Made", "complete", "drafts", "folder_of", "make", "others"]
