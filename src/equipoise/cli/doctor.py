"""`equipoise doctor`."""

from __future__ import annotations

from equipoise.cli.shared import DEFAULT_CONFIG, Config, Json, print_json, print_table
from equipoise.engine import examine


def run(*, config: Config = DEFAULT_CONFIG, json: Json = False) -> int:
    """Look at machine, versions, threads, SQLite, encoder files, configuration and journal.

    Example: equipoise doctor
    """
    findings = examine(config)
    if json:
        print_json(findings)
    else:
        rows = [(finding.level, finding.what, finding.detail, finding.remedy) for finding in findings]
        print_table("doctor", ("level", "what", "found", "remedy"), rows)
    return 1 if any(finding.level == "fault" for finding in findings) else 0
