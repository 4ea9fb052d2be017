"""What a device shows of this code, on one page: `make gpu` on a card, `make emulated` without.

    gpu_report   runs the parts, each by itself and within the time there is; `page` is the page
    device       a card and the emulated device: what a report of each runs, in which order
    part         what a part says, and its time; `parts` has all by name
    measured     parts out of programs that print row by row; `error_rows` is one of these
    gpu_tables   their tables
    sanitizer    compute-sanitizer, and how its verdict is read; `sanitized` is what it watches
    command      runs a program, hears it, and ends it with all that it started

It starts where NumPy, array-api-compat and CuPy are; a part that needs more says what it lacks.
"""
