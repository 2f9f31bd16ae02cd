"""Find or make the bundle that a ModelDeployment serves."""
