"""Versions of the data files, as DVC keeps them: bytes go from the file to the cache, never the other way.

The ``.dvc`` files and the cache are written here in DVC's documented form; the program itself is only run to push and
to fetch. A researcher's file is opened for reading and nothing else.
"""
