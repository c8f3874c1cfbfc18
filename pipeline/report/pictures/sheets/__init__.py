"""Images as sheets of tiles, pixel by pixel."""
