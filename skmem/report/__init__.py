"""Results in words: plain dicts, and text made of them."""

from skmem.report._audit import Audit, audit
from skmem.report._copying import copying_of_files, format_copying, write_copying
from skmem.report._diagnose import Finding, diagnose, diagnose_file
from skmem.report._explain import Explanation, explain
from skmem.report._format import format_findings, format_summary
from skmem.report._influence import format_influence, summarize_influence, write_influence
from skmem.report._label_audit import LabelAudit, audit_labels
from skmem.report._label_summary import format_labels, summarize_labels, write_labels
from skmem.report._models import MODELS
from skmem.report._predictors import PREDICTORS, TASKS
from skmem.report._summarize import summarize, write_audit
from skmem.report._write_report import write_report

__all__ = [
    "MODELS",
    "PREDICTORS",
    "TASKS",
    "Audit",
    "audit",
    "summarize",
    "format_summary",
    "write_audit",
    "LabelAudit",
    "audit_labels",
    "summarize_labels",
    "format_labels",
    "write_labels",
    "copying_of_files",
    "format_copying",
    "write_copying",
    "Finding",
    "diagnose",
    "diagnose_file",
    "format_findings",
    "Explanation",
    "explain",
    "summarize_influence",
    "format_influence",
    "write_influence",
    "write_report",
]
