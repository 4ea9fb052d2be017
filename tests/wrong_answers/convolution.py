"""Of lesson 1."""

from wrong_answers.answer import Wrong

WRONG: Wrong = {}
