"""The bake-off: any table with a class column becomes a bandit, and everybody plays it once, row by row.

Reference: Bietti, Agarwal and Langford 2021, "A Contextual Bandit Bake-off".
"""
