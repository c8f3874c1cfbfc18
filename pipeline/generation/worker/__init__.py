"""The work inside Beam: turns a slice into a written shard."""
