"""What an evaluation found, as records, as JSON and as one HTML page."""

from equipoise.evaluation.report.rows import Comparison, Exposure, Histogram, Row, Section

__all__ = ["Comparison", "Exposure", "Histogram", "Row", "Section"]
