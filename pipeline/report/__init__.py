"""The report of a run: one self-contained page, its charts and its pictures."""
