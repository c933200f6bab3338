"""FILES → RECORDS: the engine that describes research folders, free of Django and of any database server.

Start reading at :mod:`ingest.workspace` (the door) and :mod:`ingest.reconcile` (one pass over a tree).
"""
