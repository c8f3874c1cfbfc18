"""What a process shows, logs and exits with."""
