"""Custom resources: fields, conditions, reasons, and the generated CRDs."""
