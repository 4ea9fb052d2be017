"""How fast the code by hand is, next to PyTorch on the same cores.

    catalogue         the rows: what is timed, at which sizes, each a `timed_call`
    worker            a process of one side; hand_side and torch_side say what it runs
    process           the same process as its parent sees it
    race              each row: the sides compared, then timed
    rounds            how they take turns, and what comes out of that
    machine           what the machine can do at best: matrix products and copies
    memory            the most memory that a call holds
    without_opponent  rows without an opponent: two runs side by side, and start-up
    whole_run         the whole run as one document; bench_tables prints it, changes compares two

What it launches on a device is counted: `armlab launches`.

    count_launches    a module or a step, counted on the emulated device; hand_parts and twin_parts
                      say what runs
    operators         what of PyTorch counts as an operator
    launches          what was counted; launch_tables prints it, in the words of kernel_names
    yardstick         the rows of launches.md
    host_time         what the launches of a step cost the host, timed on an idle device

What only a card can tell is measured there, and `make gpu` writes it into its report.

    bandwidth         each kernel next to a copy on the card: kernel_calls, each a kernel_call
    card_steps        a step of training by hand, without kernels and in PyTorch

Each side has a process of its own, pinned to the same cores, with the same number of threads: in
one process the threads of one library spin while the other computes. The sides take turns, and
whatever disturbs the machine disturbs both, so a figure is the median over the rounds of the ratio
within each round. Nothing is timed before both sides have given the same numbers.
"""

GROUPS = ("operations", "convolutions", "arm", "training", "network", "scaling", "start-up")
