"""Is a directory whole, are two alike, and what is in one?"""
