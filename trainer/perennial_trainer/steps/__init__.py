"""Steps that run in Jobs, and ``fit``; each module lists the stages of its step."""
