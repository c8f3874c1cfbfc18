"""What the code holds."""
