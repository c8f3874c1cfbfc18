"""What is wrong with the data, in sentences: found, how sure, its effect, its repair."""
