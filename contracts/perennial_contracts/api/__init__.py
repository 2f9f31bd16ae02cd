"""Custom resources: fields, conditions and reasons, and the CRDs generated from them."""
