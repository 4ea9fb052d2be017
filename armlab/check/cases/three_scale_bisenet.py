"""The article's network."""

from armlab.check.case import Case
from armlab.check.modules import network
from armlab.check.record import Built, features

CASES = [
    Case(
        "ThreeScaleBiSeNet",
        network("ThreeScaleBiSeNet", outputs=2),
        share=0.1,
        built=Built({"classes": 4, "width": 2}, features(3), kinks="many", spares=1),
        held_by="its parts, each a case, and test_article.py",
    )
]
