"""From a URI to verified bytes: read and write models and tables in any store.

A model's way through this package: :func:`fetch.fetch` receives a URI and the digest that is
expected there. :func:`location.locate` parses the URI and picks a store: a bucket of S3, Google
Cloud Storage or Azure (``object_store``), the Hugging Face Hub (``hub``), a web server (``web``)
or this machine. :class:`cache.ModelCache` returns the model if an earlier process has fetched it;
otherwise one process holds its lock while the others wait. :class:`download.Download` requests the
object in parts, several at a time, and resumes after a cut. :class:`retry.Retry` repeats what
finds the store unreachable. ``artifact`` compares every digest with ``bundle.json`` before a
rename makes the files visible. Any failure is a :class:`errors.StorageError`.

The trainer reads and writes whole folders through :class:`folder.Folder`; the runtime stores
captured files through ``sink``. The operator must not import this package.
"""
