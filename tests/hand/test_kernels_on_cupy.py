"""Each kernel of CuPy's rows gives the same bits when it runs again, also on another stream.

On a card blocks run in no order, so a sum by atomics, a race, or work that does not go to the
current stream shows here as other bits.
"""

import pytest

from armlab.arrays import to_host
from armlab.bench import kernel_calls
from armlab.bench.kernel_call import arrays_in

SIZE = 3, 10, 67, 45  # many blocks, and a last one that is not full
TIMES = 3


@pytest.mark.cupy
def test_the_same_bits_again_and_on_another_stream(cupy_place):
    import cupy

    calls = [call for each in kernel_calls.asked(cupy_place, SIZE) for call in each.parts()]
    assert len(calls) > 50
    for call in calls:
        want = bits(call)
        assert want
        for _ in range(TIMES):
            assert bits(call) == want, f"{call.function}, {call.part}: other bits"
        cupy.cuda.Device().synchronize()
        with cupy.cuda.Stream(non_blocking=True) as stream:
            found = bits(call)
            stream.synchronize()
        assert found == want, f"{call.function}, {call.part}: other bits on another stream"


def bits(call):
    return [to_host(a).tobytes() for a in arrays_in(call.run())]
