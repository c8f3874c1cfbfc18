"""Inside Beam: from a slice to a written shard."""
