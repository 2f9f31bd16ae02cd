"""From a URI to a verified model on this machine: downloaded in parts, cached by its digest."""
