"""Start and stop Kubernetes clusters: kind, or a node built from source.

``choice`` picks the back-end and ``cli`` calls it. ``kind`` needs Docker, and ``existing`` uses a
cluster of the user. ``local`` needs Linux and root only: it builds Kubernetes' own components from
Go modules (``parts``), gives each ``node`` network and mount namespaces (``network``, ``sandbox``),
and starts the components with command lines from ``commands``, files from ``config`` and
certificates from ``pki``. ``records`` and ``processes`` find all of it again after a crash. Then
``install`` puts the operator and an S3 server onto any of the three.
"""
