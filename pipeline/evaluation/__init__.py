"""What a bundle, and what it made, is like."""
