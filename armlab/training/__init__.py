"""The toy training: scenes in, a loss curve and a checkpoint out, on any backend."""
