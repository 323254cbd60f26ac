"""Customers and segments in the dashboard."""

from customers.admin import customers, segments

__all__ = ["customers", "segments"]
