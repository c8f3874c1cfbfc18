"""From anything labelled to a data set directory."""
