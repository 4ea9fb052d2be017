"""The lessons as a static site that reads without a network or a kernel: python -m website."""
