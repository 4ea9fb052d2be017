"""armlab: attention refinement, each module twice, by hand and in PyTorch.

from armlab import hand      # NumPy or CuPy, with backward passes derived by hand
import armlab.torch          # the same names, arguments and state_dict keys in PyTorch
from armlab import check     # the proof that the two agree
"""

__version__ = "0.1.0"
