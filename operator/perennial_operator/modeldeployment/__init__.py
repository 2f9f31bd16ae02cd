"""Decide about a ModelDeployment. Begin with ``plan.decide``.

``artifact`` finds the model to serve, ``rollout`` replaces one revision with the next,
``rollback`` returns to a former one, ``monitoring`` judges windows of traffic, ``retraining``
creates RetrainJobs and promotes challengers, and ``status`` reports all of it.
"""
