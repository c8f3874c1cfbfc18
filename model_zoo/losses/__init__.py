"""Loss terms that several models share."""
