"""A bundle made ready to run."""
