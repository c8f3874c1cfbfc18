"""Sources that need no files: rendered here, or shipped with scikit-learn."""
