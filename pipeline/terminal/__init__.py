"""The output, logs and exit codes of a process."""
