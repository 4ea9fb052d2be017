"""What a module costs: parameters, multiply-adds and bytes, of each part and of each branch.

    report = ModuleCost(hand.BiSeNet(19).eval(), (1, 3, 1024, 2048))
    report.total, report.of("cp.arm32"), report.branches("cp.arm32")

Nothing is computed. The module's own forward runs on shapes (`shape_array`, `dry_run`), and each
function that it calls is counted by one formula (`rules`). A count is of the forward pass alone:

    parameters     trained numbers of the parts that ran. In evaluation mode a BiSeNet leaves its
                   auxiliary heads out, so they are not counted there.
    multiply_adds  products that are added to a sum, in convolutions alone, as flop counters count
                   them: one multiply-add is two of their flops. Products with the zeros of the
                   padding are included, biases are not.
    elementwise    everything else, one for each operation on an element: a sum for each element
                   that is pooled, a product for each that is gated, one for each activation and
                   each bias, one for batch normalisation in evaluation mode (scaled and shifted),
                   four in training mode, four for bilinear resizing.
    bytes          what the functions read and write, in the module's dtype: each reads its inputs
                   and weights once and writes its result once, as if nothing was fused.
"""

from armlab.cost.module_cost import ATTENTION, FEATURES, GATE, Cost, ModuleCost

__all__ = ["ATTENTION", "FEATURES", "GATE", "Cost", "ModuleCost"]
