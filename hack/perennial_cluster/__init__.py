"""A Kubernetes cluster to run Perennial on: an existing one, kind, or a node built from source."""
