"""The command ``fit``: a first model, on a person's machine."""
