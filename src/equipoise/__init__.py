"""Equipoise: recommendations from text that balance exploration and exploitation."""
