"""Find the model to serve: pinned in the spec, resolved, prepared or promoted.

Begin with ``plan.decide``. ``resolve`` finds the digest behind an unpinned URI, ``prepare`` turns a
raw artifact into a bundle. Both run a Job and retry it with back-off, see ``result``.
"""
