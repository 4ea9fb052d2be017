"""Of lesson 6."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
