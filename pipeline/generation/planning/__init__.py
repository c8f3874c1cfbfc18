"""Plans a job: which variants each shard makes."""
