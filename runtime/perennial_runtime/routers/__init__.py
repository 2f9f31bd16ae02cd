"""Which paths there are, protocol by protocol, and where each leads as things stand."""
