"""The verb `study`: does generated data help a classifier that is trained on it?

Arms of one study train the same classifier for the same steps on the same real examples, and differ
in what is done to these or mixed with them. The generator of an arm saw those real examples alone.
"""

from latentloom.pipeline.study.reporting import report_study
from latentloom.pipeline.study.running import run_study

__all__ = ["report_study", "run_study"]
