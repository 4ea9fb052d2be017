"""Training: images in, a learning curve and a checkpoint out, on any backend.

from armlab import training

config = training.Config(attention="se", steps=200, backend="torch")
run = training.train(config, "runs/se")      # or training.resume("runs/se")
run.result()                                 # {"miou": …, "parameters": …, "seconds": …}
run.history                                  # a row for each epoch
run.learner.predict(images)                  # the class of each pixel, (N, H, W)
run.learner.gate(images)                     # what the attention let through
run.learner.net                              # the network itself
"""

from armlab.training.comparison import compare, resume_comparison
from armlab.training.config import Config
from armlab.training.loop import resume, train
from armlab.training.run import Run, TrainingError

__all__ = ["Config", "Run", "TrainingError", "compare", "resume", "resume_comparison", "train"]
