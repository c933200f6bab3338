"""One file per way out of a published document, and the one table of them (:data:`catalog.formats.table.FORMATS`)."""
