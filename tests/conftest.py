"""For all tests: how long an example of a property takes says nothing on a busy machine."""

import hypothesis

hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")
