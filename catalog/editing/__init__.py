"""How people change documents: what a form shows, what is posted, how two edits become one; saved by the store alone.

No surface of its own: the pages for researchers (:mod:`catalog.forms`) and the admin both stand on it.
"""
