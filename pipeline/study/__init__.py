"""The verb `study`: does generated data help a classifier that is trained on it?

Arms of one study train the same classifier for the same steps on the same real examples, and differ
in what is done to these or mixed with them. The generator of an arm saw those real examples alone.
"""

from latentloom.pipeline.study.run_study import run_study
from latentloom.pipeline.study.study_report import report_study

__all__ = ["report_study", "run_study"]
