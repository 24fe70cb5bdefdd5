"""Looks at a host as an experienced operator would, and says what is wrong and what to do about it."""
