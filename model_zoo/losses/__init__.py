"""Terms of losses that several models use."""
