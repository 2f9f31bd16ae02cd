"""The operator: kopf brings what happens in the cluster, one ``reconcile(key)`` answers it.

watches -> cache + work queue -> reconcile: gather -> decide (pure) -> apply.
"""
