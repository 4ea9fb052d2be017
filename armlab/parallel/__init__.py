"""One network trained by several ranks: how they exchange numbers, and how a batch is shared out."""
