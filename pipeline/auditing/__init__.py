"""Finds what a data set lacks, what gives the label away, and which labels and copies are wrong."""
