"""What a unit costs: where, when, and from which source."""
