"""Numbers as charts, with matplotlib."""
