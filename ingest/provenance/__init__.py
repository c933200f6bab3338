"""What keeps every change: Git for the metadata, DVC for the data. Only this room runs either."""
