"""The one Django app and the project around it: the index of the metadata documents, its pages and commands."""
