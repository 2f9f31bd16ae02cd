"""Decide about a RetrainJob, a run. Begin with ``plan.decide``.

A run is one Job with three containers (``job``), or a Job, a TrainJob of Kubeflow Trainer and
another Job (``trainjob``). ``conditions`` reports the progress of its steps.
"""
