"""What Perennial's programs agree on: the custom resources, the model bundle, the outcomes of pods.

Nothing here does input or output; everything is values, checks and arithmetic.
"""
