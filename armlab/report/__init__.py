"""What a device shows of this code, on one page: `make gpu` on a card, `make emulated` without.

    gpu_report   runs the parts, each by itself, and writes the page as they end
    device       a card and the emulated device: what a report of each runs
    parts        of each what it runs and says; `command` gives most a process of their own
    gpu_tables   their tables
    sanitizer    compute-sanitizer, and how its verdict is read; `sanitized` is what it watches

It starts where NumPy, array-api-compat and CuPy are; a part that needs more says what it lacks.
"""
