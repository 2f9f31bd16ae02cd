"""One module per kind of child, each with one pure builder."""
