"""Customers, their consents and segments in the dashboard."""

from customers.admin import consents, customers, segments

__all__ = ["consents", "customers", "segments"]
