"""The verb `study`: measures whether generated data help a classifier trained on them.

The arms of a study train the same classifier for the same steps on the same real examples. They
differ in the transform of a batch and in the examples mixed with the real ones. The generator of an
arm was trained on the same real examples alone.
"""

from latentloom.pipeline.study.run_study import run_study, studied
from latentloom.pipeline.study.study_report import report_study

__all__ = ["report_study", "run_study", "studied"]
