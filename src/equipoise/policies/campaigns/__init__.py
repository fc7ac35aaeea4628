"""Tests of a few new arms with a known number of visitors: what past tests say of them, and what clicks add."""
