"""One network trained by several ranks: how they exchange numbers and share out a batch."""
