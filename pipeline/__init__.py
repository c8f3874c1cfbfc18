"""Where it runs: data set files, the Beam graph, commands and reports."""
