"""Where labelled observations come from: one file a kind, all seen through `Source`."""
