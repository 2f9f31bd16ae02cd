"""The report of a model card: ``report.html``, one file without scripts and links."""
