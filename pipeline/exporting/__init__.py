"""Writes data sets and bundles in the formats of other libraries."""
