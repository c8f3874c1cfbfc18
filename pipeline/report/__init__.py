"""The report of a run: one self-contained HTML page and the same facts as JSON."""

from latentloom.pipeline.report.maps import code_map
from latentloom.pipeline.report.page import write_report
from latentloom.pipeline.report.pictures import class_counts, loss_curves, rejections, variant_grid
from latentloom.pipeline.report.schema import Report

__all__ = [
    "Report",
    "class_counts",
    "code_map",
    "loss_curves",
    "rejections",
    "variant_grid",
    "write_report",
]
