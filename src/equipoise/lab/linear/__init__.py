"""A known linear world: what regret theory promises, played with few items and with many, with text and without."""
