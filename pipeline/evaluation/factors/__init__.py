"""Control of single factors."""
