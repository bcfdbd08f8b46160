"""Programs for trying the importers on files that are not part of the project."""
