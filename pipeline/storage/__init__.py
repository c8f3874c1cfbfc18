"""Bytes: files, buckets, locks, TFRecord and PNG."""
