"""Records as RDF: contexts, quads, serialisations, the quad store.

The only room that knows an RDF library. What is public comes in as the published document
(:mod:`catalog.publishing.record`); nothing here decides what may be seen.
"""
