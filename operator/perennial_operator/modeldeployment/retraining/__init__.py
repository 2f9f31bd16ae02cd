"""Create RetrainJobs when a trigger fires; promote or discard finished ones.

Begin with ``plan.decide``. ``triggers`` finds a reason for a run, ``guards`` may block it for now,
and ``active_run`` keeps the records of runs and decides about their challengers.
"""
