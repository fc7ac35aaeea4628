"""From settled decisions to what another policy would have earned, how sure that is, and when not to believe it."""
