"""Each wrong version of the bridge is caught by the property that is about it."""

import importlib
import inspect
import re
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType, ModuleType

import bridge_properties as properties
import pytest
from _pytest.outcomes import Failed

from armlab.check.statements import replaced
from armlab.swap import swapped


@dataclass(frozen=True)
class Fault:
    """A wrong statement of armlab/torch/bridge, found as in `armlab.check.statements`.

    caught_by  a function of bridge_properties, and its arguments
    says       of the exception that it then raises
    """

    name: str
    file: str
    function: str
    statement: str
    put: str
    caught_by: tuple[object, ...]
    says: str = "^AssertionError"
    nth: int = 0


ARM, FFM = "AttentionRefinementModule", "FeatureFusionModule"
UNUSED = "appears to not have been used"

FAULTS = [
    Fault(
        "the gradient of the second input is dropped",
        "hand_call",
        "HandCall.backward",
        "results",
        "results = [dxs[0], *(None for _ in dxs[1:]), *(grads[key] for key in ctx.keys)]",
        ("is_the_module", FFM),
        UNUSED,
    ),
    Fault(
        "the gradients of weights are turned round",
        "hand_call",
        "HandCall.backward",
        "results",
        "results = [*dxs, *(grads[key].reshape(grads[key].shape[::-1]) for key in ctx.keys)]",
        ("is_the_module", ARM),
        "invalid gradient at index",
    ),
    Fault(
        "the gradient of a weight under the key of its neighbour",
        "hand_call",
        "HandCall.backward",
        "results",
        'results = [*dxs, *(grads[key.replace("bias", "weight")] for key in ctx.keys)]',
        ("is_the_module", ARM),
    ),
    Fault(
        "dx is spared though it is wanted",
        "hand_call",
        "HandCall.backward",
        "spared",
        "spared = _without_input_grad(hand_backward)",
        ("is_the_module", "ConvBN"),
        UNUSED,
    ),
    Fault(
        "dy is read as if it were contiguous",
        "hand_call",
        "HandCall.backward",
        "given",
        "given = [dy if dy is None else array_of(dy.as_strided(dy.shape, "
        "torch.empty(dy.shape).stride())) for dy in dys]",
        ("is_the_module", ARM, True, "float64", "transposed"),
    ),
    Fault(
        "x is read as if it were contiguous",
        "sharing",
        "array_of",
        "t",
        "t = t.detach().as_strided(t.shape, torch.empty(t.shape).stride(), t.storage_offset())",
        ("is_the_module", ARM, True, "float64", "transposed"),
    ),
    Fault(
        "one unused output and no gradient at all",
        "hand_call",
        "HandCall.backward",
        "known",
        "known = [dy for dy in given if given[-1] is not None]",
        ("unused_outputs_have_no_part",),
        UNUSED,
    ),
    Fault(
        "statistics are copied once",
        "by_hand",
        "ByHand._share_own",
        "t.data",
        "pass",
        ("statistics_are_kept",),
    ),
    Fault(
        "statistics are another tensor after each batch",
        "by_hand",
        "ByHand._share_own",
        "t.data",
        "setattr(self, name, type(t)(tensor_of(a)))",
        ("statistics_are_kept",),
    ),
    Fault(
        "statistics are written into the array that an earlier backward has",
        "by_hand",
        "ByHand._share_own",
        "t.data",
        "t.detach().numpy()[...] = a",
        ("forwards_come_before_backwards",),
    ),
    Fault(
        "modes are not passed on",
        "by_hand",
        "ByHand._share",
        "module.training",
        "pass",
        ("modes_reach_the_module",),
    ),
    Fault(
        "the mode of the whole is that of its parts",
        "by_hand",
        "ByHand._share",
        "module.training",
        "module.training = self.training",
        ("modes_reach_the_module",),
    ),
    Fault(
        "weights are copied",
        "sharing",
        "array_of",
        "return",
        "return t.numpy().copy()",
        ("weights_are_one_memory",),
        nth=2,
    ),
    Fault(
        "what PyTorch replaces is not taken over",
        "by_hand",
        "ByHand._share_own",
        "given, where",
        "given, where = self._given.get(name, (a, None))\nwhere = where and memory_of(t)",
        ("what_pytorch_replaces_is_taken_over",),
        "by_hand|dtype|equal|holds float64",
    ),
    Fault(
        "writes to outputs go unnoticed",
        "hand_call",
        "HandCall.forward",
        "noticed",
        "noticed = (*tensors, *buffers)",
        ("writes_are_noticed",),
        "DID NOT RAISE",
    ),
    Fault(
        "writes to weights go unnoticed",
        "hand_call",
        "HandCall.forward",
        "noticed",
        "noticed = (*inputs, *buffers, *ys)",
        ("writes_are_noticed",),
        "DID NOT RAISE",
    ),
    Fault(
        "what forward kept stays as long as the graph",
        "hand_call",
        "HandCall.backward",
        "ctx.hand_backward",
        "pass",
        ("what_forward_kept_is_let_go",),
    ),
    Fault(
        "a second backward runs the module of now",
        "hand_call",
        "HandCall.forward",
        "ctx.keys, ctx.before",
        "ctx.keys, ctx.before = keys, module",
        ("a_second_backward_is_the_first",),
    ),
    Fault(
        "a second backward moves the statistics",
        "hand_call",
        "HandCall.backward",
        "hand_backward",
        "hand_backward = ctx.hand_backward or ctx.before(*map(array_of, inputs))[1]\n"
        "ctx.before = ctx.before.eval()",
        ("a_second_backward_is_the_first",),
    ),
    Fault(
        "two gradients are one memory",
        "sharing",
        "tensors_apart",
        "begun",
        "begun = type('Nowhere', (list,), {'add': list.append, '__contains__': lambda *_: 0})()",
        ("results_are_apart",),
    ),
    Fault(
        "a gradient is the memory of dy",
        "sharing",
        "tensors_apart",
        "begun",
        "begun = set()",
        ("results_are_apart",),
    ),
    Fault(
        "the module of PyTorch runs with weights of its own",
        "by_autograd",
        "ByAutograd.forward",
        "weights",
        "weights = dict(self._module.named_parameters())",
        ("is_trained_by_hand", "sgd"),
    ),
    Fault(
        "PyTorch writes its statistics into the arrays of a copy",
        "by_autograd",
        "ByAutograd._own",
        "return",
        "return t",
        ("nothing_is_written_to",),
    ),
    Fault(
        "the statistics of PyTorch are lost",
        "by_autograd",
        "ByAutograd.forward",
        "moved",
        "moved = {}",
        ("is_the_torch_module", ARM),
    ),
    Fault(
        "modes of parts are not passed on to PyTorch",
        "by_autograd",
        "ByAutograd._set_modes",
        "self._module.get_submodule(path).training",
        "pass",
        ("modes_reach_the_torch_module",),
    ),
    Fault(
        "the gradient of an input of PyTorch is dropped",
        "by_autograd",
        "ByAutograd.forward.backward",
        "dxs",
        "dxs = [*grads[: len(xs) - 1], None] if input_grad else [None] * len(xs)",
        ("is_the_torch_module", FFM),
    ),
    Fault(
        "weights of PyTorch have the gradients of the inputs before them",
        "by_autograd",
        "ByAutograd.forward.backward",
        "named",
        "named = dict(zip(weights, grads))",
        ("is_the_torch_module", ARM),
    ),
    Fault(
        "one backward uses up the graph of PyTorch",
        "by_autograd",
        "_gradients",
        "grads",
        "grads = torch.autograd.grad(ys, wanted, dys, allow_unused=True, materialize_grads=True)",
        ("nothing_is_written_to",),
        "backward through the graph a second time",
    ),
    Fault(
        "the first output of PyTorch stands for all",
        "by_autograd",
        "ByAutograd.forward.backward",
        "dys",
        "dys = [dy[0]] * len(ys)",
        ("unused_outputs_of_pytorch_have_no_part",),
    ),
]


@contextmanager
def planted(fault):
    """Within this block, the bridge runs with the fault."""
    right = importlib.import_module(f"armlab.torch.bridge.{fault.file}")
    source = replaced(
        inspect.getsource(right), fault.function, fault.statement, fault.put, fault.nth
    )
    wrong = ModuleType(right.__name__)
    wrong.__file__, wrong.__package__ = f"<{fault.name}>", right.__package__
    exec(compile(source, wrong.__file__, "exec"), vars(wrong))
    own = {
        old: vars(wrong)[name]
        for name, old in vars(right).items()
        if isinstance(old, type | FunctionType)
        and old.__module__ == right.__name__
        and name in vars(wrong)  # torch.compile leaves names of its own behind
    }
    with swapped(own):
        yield


def run(caught_by):
    name, *arguments = caught_by
    getattr(properties, name)(*arguments)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_caught(fault):
    with planted(fault), pytest.raises((Exception, Failed)) as caught:
        run(fault.caught_by)
    text = f"{type(caught.value).__name__}: {caught.value}"
    assert re.search(fault.says, text), text


@pytest.mark.parametrize("caught_by", dict.fromkeys(fault.caught_by for fault in FAULTS), ids=str)
def test_without_a_fault_each_property_holds(caught_by):
    run(caught_by)


def test_each_fault_has_a_name_of_its_own():
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 25
    assert {fault.file for fault in FAULTS} == {"by_hand", "hand_call", "by_autograd", "sharing"}
