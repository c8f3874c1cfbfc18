"""The data set directory and the examples in it."""
