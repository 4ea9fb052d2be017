"""Training: images in, a learning curve and a checkpoint out, on any backend.

from armlab import training

config = training.Config(attention="se", steps=200, backend="torch")
run = training.train(config, "runs/se")      # or training.resume("runs/se")
run.result()                                 # {"miou": …, "parameters": …, "seconds": …}
run.history                                  # a row for each epoch
run.learner.predict(images)                  # the class of each pixel, (N, H, W)
run.learner.gate(images)                     # what the attention let through
run.learner.net                              # the network itself

From the options of `armlab train` to its first step there are five stops:

1. commands/train.py, run: what was typed becomes a Config; the settings stand in settings.py
2. training/loop.py, train: a run is started, and goes step by step to its end
3. training/run.py, Run.start: its data, its learner and its folder
4. training/start.py, make_learner: the network, as networks.py has it, with an optimiser
5. training/hand_learner.py, HandLearner.step: forward, loss, backward, optimiser
"""

from armlab.training.comparison import compare, resume_comparison
from armlab.training.config import Config
from armlab.training.loop import resume, train
from armlab.training.run import Run, TrainingError

__all__ = ["Config", "Run", "TrainingError", "compare", "resume", "resume_comparison", "train"]
