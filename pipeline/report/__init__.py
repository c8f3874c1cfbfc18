"""The report of a run: one self-contained HTML page and the same facts as JSON."""

from pipeline.report.maps import code_map
from pipeline.report.page import write_report
from pipeline.report.pictures import class_counts, loss_curves, rejections, variant_grid
from pipeline.report.schema import Report

__all__ = [
    "Report",
    "class_counts",
    "code_map",
    "loss_curves",
    "rejections",
    "variant_grid",
    "write_report",
]
