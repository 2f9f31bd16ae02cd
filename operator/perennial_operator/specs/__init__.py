"""Build the children of a resource: a module with a pure ``build`` for each kind.

The names and the content of children are remembered by running clusters: tests/golden records them.
"""
