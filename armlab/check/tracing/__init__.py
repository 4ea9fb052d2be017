"""Tracing a module by hand beside its twin: what each side notes, the rows, the words, `trace`."""
