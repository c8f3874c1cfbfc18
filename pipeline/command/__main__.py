"""`python -m pipeline.command`."""

from pipeline.command import main

main()
