"""Before Beam: what each shard is to make."""
