"""What was billed: Cost Explorer."""
