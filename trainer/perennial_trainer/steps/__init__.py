"""The steps that run in Jobs; each module reads like a recipe."""
