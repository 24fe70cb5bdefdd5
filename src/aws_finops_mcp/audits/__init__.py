"""Running checks and cost questions: who asks what, of which region, and what comes back."""
