"""report.html: one file that needs nothing else, drawn from a model card and a drift profile."""
