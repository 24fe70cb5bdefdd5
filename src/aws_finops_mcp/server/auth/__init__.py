"""Who may call: ways to authenticate, and the one place that asks them."""
