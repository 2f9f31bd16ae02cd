"""Build Perennial's container images, with Docker or without.

``cli`` builds images by name. Images of Perennial's programs (``program``) are built from their
Dockerfiles by Docker, or else by buildah on a ``base`` of Debian packages. Their context contains
downloaded ``wheels``, the native front (``rust``), and ``stand_ins`` for CUDA. Images of a static
Go program (``scratch``) need no builder: ``archive`` writes them. ``store`` keeps the results.
"""
