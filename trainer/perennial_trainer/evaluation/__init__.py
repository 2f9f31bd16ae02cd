"""How good answers are: scores and how sure they are, curves, slices. Pure."""
