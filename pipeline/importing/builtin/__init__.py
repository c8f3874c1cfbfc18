"""Sources that are made or shipped here."""
