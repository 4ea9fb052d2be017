"""Wrong versions of `hand/feature_fusion.py`."""

from __future__ import annotations

from armlab.check.fault import Fault

FAULTS = [
    Fault(
        "FeatureFusionModule: only the spatial path gets its gradient",
        "FeatureFusionModule",
        "feature_fusion",
        "FeatureFusionModule._mixed.backward",
        "dsp, dcp",
        "dsp, dcp = concat_back(dx)[0], 0 * concat_back(dx)[1]",
        "both paths went in, so both get their part of the gradient back",
    ),
    Fault(
        "SingleLayerFeatureFusion: only the spatial path gets its gradient",
        "SingleLayerFeatureFusion",
        "feature_fusion",
        "FeatureFusionModule._mixed.backward",
        "dsp, dcp",
        "dsp, dcp = concat_back(dx)[0], 0 * concat_back(dx)[1]",
        "both paths went in, so both get their part of the gradient back",
    ),
]
