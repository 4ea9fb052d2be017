"""The toy training: images in, a loss curve and a checkpoint out, on any backend."""
