"""Writes the contexts from one table: ``python -m scripts.make_contexts``.

The files in ``contexts/`` are committed, and a test compares them with what this would write. What several kinds share
(a person, a relation, a variable) stands here once, so that it cannot mean one thing in one context and another in the
next; the files repeat it, for a context that refers to another would have to be fetched.
"""
