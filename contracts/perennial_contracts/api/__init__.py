"""The custom resources: their fields, conditions and reasons, and the CRDs made from them."""
