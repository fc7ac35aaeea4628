"""Anyone's log to columns: CSV, TSV, JSONL, Parquet, dsjson, and Open Bandit's folders."""

from equipoise.evaluation.logs.columns import LogColumns, columns_from, read_columns
from equipoise.evaluation.logs.log import Log
from equipoise.evaluation.logs.reading import Reading, read_log

__all__ = ["Log", "LogColumns", "Reading", "columns_from", "read_columns", "read_log"]
