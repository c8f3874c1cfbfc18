"""From a data set directory to a bundle."""
