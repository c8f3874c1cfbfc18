"""`python -m latentloom.pipeline.command`."""

from latentloom.pipeline.command import main

main()
