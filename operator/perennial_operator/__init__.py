"""The Kubernetes operator. Begin with ``reconcile``, the way of a key through it.

Events of the cluster become keys in a work queue (``watches``, ``workqueue``), and one worker
reconciles each key: ``gather`` collects the resource's world from the ``cache``, a pure ``decide``
turns it into a plan (``modeldeployment.plan``, ``retrainjob.plan``), and ``reconcile`` applies the
plan. It is the only module that changes the cluster. ``specs`` builds the children, ``monitoring``
reads pods, and ``diagnosis`` explains their failures.
"""
