"""Long runs: hours of a team's traffic in minutes."""
