"""What the decoder makes."""
