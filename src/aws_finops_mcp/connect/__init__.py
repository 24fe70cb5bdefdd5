"""The way from a caller's machine to the server: opens it, keeps it open, and says what is wrong when it can't."""
