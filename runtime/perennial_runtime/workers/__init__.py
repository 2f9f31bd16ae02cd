"""Several processes that serve the same sockets, and one view over what they have counted."""
