"""The benchmarks: each prints its figure beside a yardstick measured in the same run, and whether the target is met.

``python -m bench [NAME …]``; a new benchmark is a file here with a ``run`` and a line in :data:`BENCHMARKS`.
"""

BENCHMARKS = (
    "reconcile_from_nothing",
    "reconcile_again",
    "large_files",
    "one_new_file",
    "burst",
    "latency",
    "watcher_memory",
    "pages",
    "forms",
    "finalise",
    "git",
    "dvc",
    "chain",
    "landing",
    "quads",
    "sparql",
    "deaths",
)
