"""Customers, their consents and segments in the dashboard."""

from customers.admin import consents, customers, locations, segments

__all__ = ["consents", "customers", "locations", "segments"]
