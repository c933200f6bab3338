"""The history of records: what differs between two versions in words, what is set back, and the trail as PROV-O.

Everything here works on values and asks :mod:`ingest.provenance` for them; it draws nothing and runs no git.
"""
