"""From a data set and a bundle to a data set of variants."""
