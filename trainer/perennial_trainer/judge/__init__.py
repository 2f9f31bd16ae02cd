"""The last step: the challenger against the champion, and the bundle of the one that is better."""
