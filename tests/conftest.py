"""What holds for all tests."""

import hypothesis

from perennial_trainer.threads import settle_openmp

settle_openmp()

# How long an example of a property takes says nothing on a busy machine.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")
